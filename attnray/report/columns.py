"""Tables of a page: which columns they have, and how a row is written in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, Literal, TypeVar

from attnray.report import wording
from attnray.report.findings import Findings, Placed, Source

R = TypeVar("R")
S = TypeVar("S")

#: How a cell is set: as running text, as a name, in one line, or as a number to the right.
Kind = Literal["", "label", "words", "number"]
#: By what rows can be left out: how many cases they are about, and their corrected p-value.
Role = Literal["", "cases", "holm"]
#: What is sorted by: a number, None where it is not known.
Order = float | None
#: Stands where a difference is known, but not an interval that says anything.
TOO_FEW = "too few"
#: An interval of a difference that is longer says nothing.
LONGEST = 1.0


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: its header, and the text of its cell in a row.

    `order` is the number by which its rows are sorted; without one it is their text. `gloss`
    says in words what the text stands for, where it has words.
    """

    header: str
    cell: Callable[[R], object]
    kind: Kind = ""
    order: Callable[[R], Order] | None = None
    role: Role = ""
    gloss: Callable[[R], str] | None = None


@dataclass(frozen=True)
class PageTable(Generic[R]):
    """A table of a page; the cells of its first column are the headers of its rows.

    `label` names it to those who do not see it; `look` is a class of its own in the style;
    `source` the table of the run that has its numbers; `note` says why cells can be empty.
    """

    label: str
    columns: Sequence[Column[R]]
    rows: Sequence[R]
    look: str = ""
    source: str = ""
    note: str = ""


def label(
    header: str, cell: Callable[[R], object], gloss: Callable[[R], str] | None = None
) -> Column[R]:
    """A column of names."""
    return Column(header, cell, "label", gloss=gloss)


def number(
    header: str,
    value: Callable[[R], Any],
    form: Callable[[Any], str] = wording.plain,
    role: Role = "",
) -> Column[R]:
    """A column of numbers, None where there is none, and how they are written."""
    return Column(header, lambda row: form(value(row)), "number", value, role)


def interval(header: str, low: Callable[[R], Order], high: Callable[[R], Order]) -> Column[R]:
    """A column of intervals of shares, sorted by their lower ends."""
    return Column(header, lambda row: wording.interval(low(row), high(row)), "number", low)


def through(part: Callable[[S], R], *columns: Column[R]) -> list[Column[S]]:
    """The columns of a part of each row."""

    def seen(column: Column[R]) -> Column[S]:
        order, gloss = column.order, column.gloss
        return Column(
            column.header,
            lambda row: column.cell(part(row)),
            column.kind,
            order and (lambda row: order(part(row))),
            column.role,
            gloss and (lambda row: gloss(part(row))),
        )

    return [seen(column) for column in columns]


def of_row(*columns: Column[R]) -> list[Column[Placed[R]]]:
    """The columns of rows, where each stands behind its model and corpus."""
    return through(lambda placed: placed.row, *columns)


#: The model of a row that stands behind it.
MODEL: Column[Any] = label("Model", lambda placed: placed.model)

# What tables of best heads share.
HEAD: Column[Any] = Column(
    "Head",
    lambda row: wording.head(row.layer, row.head),
    "number",
    lambda row: None if row.layer is None else 1000 * row.layer + row.head,
)
ACCURACY: Column[Any] = number("Accuracy", attrgetter("accuracy"), wording.percent)
INTERVAL: Column[Any] = interval("95% interval", attrgetter("ci_low"), attrgetter("ci_high"))
# The best rule beside a best head.
RULE: Column[Any] = label("Rule", lambda row: wording.spaced(row.baseline or wording.NOTHING))
RULE_ACCURACY: Column[Any] = number(
    "Its accuracy", attrgetter("baseline_accuracy"), wording.percent
)


def cases(header: str) -> Column[Any]:
    """How many cases a row is about."""
    return number(header, attrgetter("total"), wording.count, "cases")


def held_out(header: str) -> Column[Any]:
    """The accuracy of heads that were chosen on the other folds."""
    return number(header, attrgetter("heldout_accuracy"), wording.percent)


def rule_held_out(header: str) -> Column[Any]:
    """The accuracy of baselines that were chosen on the other folds."""
    return number(header, attrgetter("baseline_heldout_accuracy"), wording.percent)


def too_few(low: float | None, high: float | None) -> bool:
    """Whether the interval of a difference says nothing, if there is one."""
    return low is None or high is None or high - low > LONGEST


def differing(prefix: str, interval: str) -> list[Column[Any]]:
    """A difference with its interval, from columns whose names begin so, and its p-value."""
    low, high = attrgetter(f"{prefix}ci_low"), attrgetter(f"{prefix}ci_high")

    def ends(row: Any) -> str:
        if row.difference is not None and too_few(low(row), high(row)):
            return TOO_FEW
        return wording.signed_interval(low(row), high(row))

    return [
        number("Difference", attrgetter("difference"), wording.points),
        Column(interval, ends, "number", low),
        number("p (Holm)", attrgetter("p_holm"), wording.p_value, "holm"),
    ]


def less_baseline(interval: str) -> list[Column[Any]]:
    """How much a best head is better than the best baseline, and whether that is luck."""
    return differing("difference_", interval)


def of_twin(findings: Findings, best: Source[R], key: Callable[[R], object]) -> list[Column[R]]:
    """What the best heads of the random twin reach, where there is a twin.

    Args:
        findings: with the twin's tables.
        best: a table of best heads.
        key: what a row is about.
    """
    if findings.facts.twin is None:
        return []
    rows: list[Any] = best.rows(findings.twin)
    found = {key(row): row.heldout_accuracy for row in rows}
    return [number("Random twin held out", lambda row: found.get(key(row)), wording.percent)]
