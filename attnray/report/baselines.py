"""Baselines of coreference and of ambiguous pronouns: all of them beside each best head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from attnray.metrics.coreference import ALL, BestMentionRow, MentionBaselineRow
from attnray.metrics.gap import BestPronounRow, PronounBaselineRow
from attnray.report import wording
from attnray.report.claims import Kind, of_all, of_each
from attnray.report.columns import Column, through
from attnray.report.listing import Entry, Labels, listing

R = TypeVar("R", BestMentionRow, BestPronounRow)
B = TypeVar("B", MentionBaselineRow, PronounBaselineRow)

#: What the best head is held against.
RULE = "the best baseline"
_RULES = {
    "nearest": "nearest takes the nearest candidate",
    "head_match": "head match takes the nearest candidate with the same head word",
    "sieve": "sieve takes the nearest with the same words, else with the same head word, else "
    "one that agrees in number, gender and person, else the nearest",
}


class Beside(NamedTuple, Generic[R, B]):
    """The row of a best head, and those of the baselines by name."""

    best: R
    baselines: Mapping[str, B]

    @property
    def accuracies(self) -> dict[str, float | None]:
        """Those of the baselines."""
        return {name: each.accuracy for name, each in self.baselines.items()}


def joined(
    best: Iterable[R], baselines: Iterable[B], kind: Callable[[R | B], str]
) -> list[Beside[R, B]]:
    """Each best head beside the baselines, by `max_tokens`, then in the order of the table.

    Args:
        best: rows of best heads.
        baselines: rows of baselines.
        kind: what cases a row of either is about.
    """
    found: dict[tuple[int, str], dict[str, B]] = {}
    for row in baselines:
        found.setdefault((row.max_tokens, kind(row)), {})[row.baseline] = row
    ordered = sorted(best, key=lambda row: row.max_tokens)
    return [Beside(row, found.get((row.max_tokens, kind(row)), {})) for row in ordered]


def of_best(*columns: Column[R]) -> list[Column[Beside[R, B]]]:
    """The columns of rows of best heads, where each stands beside the baselines."""
    return through(lambda row: row.best, *columns)


def best_rule(row: BestMentionRow | BestPronounRow) -> str:
    """What a best head is held against."""
    return f"{RULE} ({wording.spaced(row.baseline)})" if row.baseline else RULE


def rule(name: str) -> str:
    """What a baseline does."""
    return _RULES.get(name, wording.spaced(name))


def listed(
    what: str, label: str, cases: str, rows: Iterable[tuple[str, Beside[R, B]]]
) -> list[str]:
    """The best heads that there are cases for on the terminal, each row with its label.

    Args:
        what: what each is the best head of.
        label: what the labels are called.
        cases: what their cases are.
        rows: each with its label.
    """
    entries = [
        Entry(name, f"{best.max_tokens} pieces", best, wording.spaced(best.baseline or ""))
        for name, (best, _) in rows
        if best.total
    ]
    labels = Labels(label, "cut to", "baseline", cases)
    return [listing(what, labels, entries)] if entries else []


def claims(of: str, what: str, cases: str, rows: Iterable[tuple[str, Beside[R, B]]]) -> list[str]:
    """What is claimed at every cut, of all cases together and of each kind of them.

    Args:
        of: what all cases are, up to the cut.
        what: what the kinds are, in the plural.
        cases: what the cases of a kind are.
        rows: each with its kind, those of a cut one after another.
    """
    said = []
    for cut, group in groupby(rows, key=lambda named: named[1].best.max_tokens):
        own = [Kind(name, row.best) for name, row in group]
        whole = f"{of} cut to {cut} pieces"
        said += [of_all(each.row, whole, RULE) for each in own if each.name == ALL]
        single = [each for each in own if each.name != ALL]
        said += of_each(single, f"{what} at {cut} pieces", cases, RULE)
    return said
