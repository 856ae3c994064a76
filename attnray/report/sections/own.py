"""Metrics of one's own: a table each, the heads with the largest values first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from attnray.metrics.own import OwnDocumentRow, OwnRow
from attnray.metrics.rows import whole_schema
from attnray.report import columns
from attnray.report.columns import Column, PageTable, number
from attnray.report.findings import Findings, Source
from attnray.report.section import Section, template_of
from attnray.report.wording import NOTHING, count, head

Row = OwnRow | OwnDocumentRow
KINDS: tuple[type[Any], ...] = (OwnRow, OwnDocumentRow)
#: So many heads are named on the terminal.
MOST_NAMED = 3


def _digits(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"


def _interval(row: Row) -> str:
    return f"{_digits(row.ci_low)} to {_digits(row.ci_high)}"


CUT: Column[Any] = number("Cut (pieces)", attrgetter("max_tokens"))
COLUMNS: tuple[Column[Row], ...] = (
    columns.HEAD,
    number("Value", attrgetter("value"), _digits),
    Column("95% interval", _interval, "number", attrgetter("ci_low")),
    number("Examples", attrgetter("examples"), count),
)


def _found(findings: Findings) -> Iterator[tuple[str, list[Row]]]:
    """The tables of such metrics by name, their rows from the largest value down."""
    for name, table in sorted(findings.tables.items()):
        for kind in KINDS:
            if table.schema.names == whole_schema(kind).names:
                rows = Source(name, kind).rows(findings.tables)
                known = [row for row in rows if row.value is not None]
                yield name, sorted(known, key=attrgetter("value"), reverse=True)


def context(findings: Findings) -> Mapping[str, object]:
    """A table for each."""
    shown = {
        name: PageTable(f"Table: {name}", _columns(rows), rows, source=name)
        for name, rows in _found(findings)
    }
    return {**shown, "own": [*shown.values()]}


def _columns(rows: list[Row]) -> list[Column[Row]]:
    cut = any(isinstance(row, OwnDocumentRow) for row in rows)
    return [*COLUMNS[:1], *([CUT] if cut else []), *COLUMNS[1:]]


def lines(findings: Findings) -> list[str]:
    """The heads with the largest values of each."""
    said = []
    for name, rows in _found(findings):
        most = (f"{head(r.layer, r.head)} {_digits(r.value)}" for r in rows[:MOST_NAMED])
        said.append(f"{name}: most {', '.join(most)}: tables/{name}.parquet")
    return said


SECTION = Section(
    "own",
    "Your metrics",
    template_of(__file__),
    shown=lambda findings: any(_found(findings)),
    lines=lines,
    context=context,
)
