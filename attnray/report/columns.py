"""Tables of a page: which columns they have, and how a row is written in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from attnray.report import wording
from attnray.report.findings import Findings, Placed, Source

R = TypeVar("R")
S = TypeVar("S")

#: How a cell is set: as running text, as a name, in one line, or as a number to the right.
Kind = Literal["", "label", "words", "number"]


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: its header, and the text of its cell in a row."""

    header: str
    cell: Callable[[R], object]
    kind: Kind = ""


@dataclass(frozen=True)
class PageTable(Generic[R]):
    """A table of a page; the cells of its first column are the headers of its rows.

    `label` names it to those who do not see it; `look` is a class of its own in the style.
    """

    label: str
    columns: Sequence[Column[R]]
    rows: Sequence[R]
    look: str = ""


def label(header: str, cell: Callable[[R], object]) -> Column[R]:
    """A column of names."""
    return Column(header, cell, "label")


def number(header: str, cell: Callable[[R], object]) -> Column[R]:
    """A column of numbers."""
    return Column(header, cell, "number")


def through(part: Callable[[S], R], *columns: Column[R]) -> list[Column[S]]:
    """The columns of a part of each row."""

    def seen(column: Column[R]) -> Column[S]:
        return Column(column.header, lambda row: column.cell(part(row)), column.kind)

    return [seen(column) for column in columns]


def of_row(*columns: Column[R]) -> list[Column[Placed[R]]]:
    """The columns of rows, where each stands behind its model and corpus."""
    return through(lambda placed: placed.row, *columns)


#: The model of a row that stands behind it.
MODEL: Column[Any] = label("Model", lambda placed: placed.model)

# What tables of best heads share.
HEAD: Column[Any] = number("Head", lambda row: wording.head(row.layer, row.head))
ACCURACY: Column[Any] = number("Accuracy", lambda row: wording.percent(row.accuracy))
INTERVAL: Column[Any] = number(
    "95% interval", lambda row: wording.interval(row.ci_low, row.ci_high)
)
# The best rule beside a best head.
RULE: Column[Any] = label("Rule", lambda row: wording.spaced(row.baseline or wording.NOTHING))
RULE_ACCURACY: Column[Any] = number(
    "Its accuracy", lambda row: wording.percent(row.baseline_accuracy)
)


def cases(header: str) -> Column[Any]:
    """How many cases a row is about."""
    return number(header, lambda row: wording.count(row.total))


def held_out(header: str) -> Column[Any]:
    """The accuracy of heads that were chosen on the other folds."""
    return number(header, lambda row: wording.percent(row.heldout_accuracy))


def less_baseline(interval: str) -> list[Column[Any]]:
    """How much a best head is better than the best baseline, and whether that is luck."""

    def ends(row: Any) -> str:
        return wording.signed_interval(row.difference_ci_low, row.difference_ci_high)

    return [
        number("Difference", lambda row: wording.points(row.difference)),
        number(interval, ends),
        number("p (Holm)", lambda row: wording.p_value(row.p_holm)),
    ]


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
    return [number("Random twin held out", lambda row: wording.percent(found.get(key(row))))]
