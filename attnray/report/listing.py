"""What is listed on the terminal: best heads of a run by what they gain, those of several runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from attnray.metrics.best import FEWEST_UNITS
from attnray.report.claims import LEVEL, Best, verdict
from attnray.report.wording import NOTHING, count, head, percent, points, short, signed_interval

#: Stands for the interval of what nothing can be said of.
TOO_FEW = "too few to say"
NOT_HELD_OUT = (
    f"too few documents or blocks of sentences to hold any out ({FEWEST_UNITS} are needed):",
    "heads and baselines were picked on the cases that score them, some of it is luck",
)
#: What stands side by side where no gain is known.
REACHED = "accuracy of the best head on all cases (too few documents to hold any out)"
#: The letters of a line, and those that a model's name may take.
WIDTH, NAME = 80, 32


class Entry(NamedTuple):
    """A best head: of what, how it looks, and the baseline it is held against."""

    label: str
    how: str
    best: Best
    baseline: str


class Labels(NamedTuple):
    """What a listing calls the labels of its entries, how they look, baselines and cases."""

    label: str
    how: str
    baseline: str
    cases: str


def listing(what: str, labels: Labels, entries: Sequence[Entry], more: Sequence[str] = ()) -> str:
    """Some best heads beside what they are held against.

    Args:
        what: what each is the best head of.
        labels: what its columns are called.
        entries: in their order.
        more: what else is to be said, by line.
    """
    held = any(each.best.heldout_accuracy is not None for each in entries)
    rule = f"the best {labels.baseline}"
    title = f"best head of each {what}, against {rule}{', both held out' if held else ''}:"
    numbers = ("accuracy", labels.baseline, "gain", "95% interval", labels.cases)
    header = (labels.label, "head", labels.how, *numbers, "")
    table = _aligned([header, *map(_cells, entries)], "<><>>><><")
    said = "* better" if any(map(is_better, entries)) else "none is better"
    tested = [f"{said} than {rule} (p < {LEVEL} after Holm's correction)"]
    return "\n".join([title, *table, *(tested if held else NOT_HELD_OUT), *more, ""])


def is_better(entry: Entry) -> bool:
    """Whether the test says that the head is better than the baseline."""
    return verdict(entry.best) == "more"


def side_by_side(title: str, models: Mapping[str, Mapping[str, str]], more: str = "") -> str:
    """A line a model, a column each of what they have values of, as many as there is room for.

    Args:
        title: what the values are.
        models: the values of each by what they are of.
        more: where the others are.
    """
    names = [short(model, NAME) for model in models]
    columns = list(dict.fromkeys(label for values in models.values() for label in values))
    rows = [[values.get(each, f"{NOTHING} ") for each in columns] for values in models.values()]
    table = [["", *columns], *([name, *row] for name, row in zip(names, rows, strict=True))]
    room, kept = WIDTH - max(map(len, names)), 1
    for column in list(zip(*table, strict=True))[1:]:
        room -= 2 + max(map(len, column))
        kept += room >= 0
    left = len(columns) + 1 - kept
    lines = _aligned([row[:kept] for row in table], "<" + ">" * (kept - 1))
    return "\n".join([title, *lines, *([f"{left} more{more}"] if left else []), ""])


def by_model(of: str, baseline: str, rows: Iterable[tuple[str, str, Best]], more: str = "") -> str:
    """What the best heads of models gain side by side, or reach where nothing is held out.

    Args:
        of: what they are the best heads of.
        baseline: what they are held against.
        rows: model, label and best head, the labels in the order of the columns.
        more: where the others are.
    """
    known = [each for each in rows if each[2].total]
    held = any(best.difference is not None for _, _, best in known)
    title = f"best head less best {baseline}, held out (* p < {LEVEL}, Holm)" if held else REACHED
    found: dict[str, dict[str, str]] = {"cases": {}}
    cases: dict[str, int] = {}
    for model, label, best in known:
        cases[label] = max(best.total, cases.get(label, 0))
        mark = "*" if verdict(best) == "more" else " "
        value = points(best.difference) if held else percent(best.accuracy)
        found.setdefault(model, {})[label] = f"{value}{mark}"
    found["cases"] = {label: f"{count(total)} " for label, total in cases.items()}
    return side_by_side(f"{of}: {title}", found, more)


def _cells(entry: Entry) -> tuple[str, ...]:
    """The row of a best head; where nothing is held out it has its accuracy on all cases."""
    row = entry.best
    held = row.heldout_accuracy is not None
    baseline = row.baseline_heldout_accuracy if held else row.baseline_accuracy
    interval = signed_interval(row.difference_ci_low, row.difference_ci_high)
    return (
        entry.label,
        head(row.layer, row.head),
        entry.how,
        percent(row.heldout_accuracy if held else row.accuracy),
        f"{entry.baseline} {percent(baseline):>6}",
        points(row.difference),
        TOO_FEW if verdict(row) == "untested" else interval,
        count(row.total),
        "*" if is_better(entry) else "",
    )


def _aligned(table: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Rows in columns, each to its side; a minus is one that every terminal has."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    form = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
    return [form.format(*row).rstrip().replace("−", "-") for row in table]
