"""Metrics of one's own: each by layer, and as a table, the largest values first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from attnray.metrics.own import OwnDocumentRow, OwnRow
from attnray.metrics.rows import whole_schema
from attnray.report import columns
from attnray.report.columns import Column, PageTable, number
from attnray.report.drawing.by_layer import LayerPanel, by_layer, series
from attnray.report.findings import Findings, Source
from attnray.report.section import Draw, Section, template_of
from attnray.report.wording import NOTHING, count, head

Row = OwnRow | OwnDocumentRow
KINDS: tuple[type[Any], ...] = (OwnRow, OwnDocumentRow)
#: So many heads are named on the terminal.
MOST_NAMED = 3


def _digits(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"


def _interval(row: Row) -> str:
    if row.ci_low is None:
        return NOTHING
    return f"{_digits(row.ci_low)} to {_digits(row.ci_high)}"


CUT: Column[Any] = number("Cut (pieces)", attrgetter("max_tokens"))
COLUMNS: tuple[Column[Row], ...] = (
    columns.HEAD,
    number("Value", attrgetter("value"), _digits),
    Column("95% interval", _interval, "number", attrgetter("ci_low")),
    number("Examples", attrgetter("examples"), count),
)


def _found(findings: Findings) -> Iterator[tuple[str, list[Row]]]:
    """The tables of such metrics with a value, by name, rows from the largest value down."""
    for name, table in sorted(findings.tables.items()):
        for kind in KINDS:
            if table.schema.names == whole_schema(kind).names:
                rows = Source(name, kind).rows(findings.tables)
                known = [row for row in rows if row.value is not None]
                if known:
                    yield name, sorted(known, key=attrgetter("value"), reverse=True)


def context(findings: Findings) -> Mapping[str, object]:
    """A table for each, beside its figure."""
    shown = {
        figure_of(name): PageTable(f"Table: {name}", _columns(rows), rows, source=name)
        for name, rows in _found(findings)
    }
    return {**shown, "own": shown}


def figures(findings: Findings) -> Mapping[str, Draw]:
    """The values of each by layer."""
    return {
        figure_of(name): partial(by_depth, metric=name, rows=rows)
        for name, rows in _found(findings)
    }


def figure_of(metric: str) -> str:
    """What the figure of a metric is called."""
    return f"own_{metric}"


def by_depth(name: str, metric: str, rows: Sequence[Row]) -> str:
    """The values of all heads by layer, those of each cut by themselves."""
    values = [(_cut(row), row.layer, row.value) for row in rows]
    each = series({cut: f"{metric}{cut}" for cut, _, _ in values}, values)
    peaks = [f"{s.label}: layer mean highest in layer {s.highest[0]}" for s in each]
    alt = f"{metric} by layer, a mark for every head and a line for the layer mean. "
    return by_layer(name, f"{alt}{'; '.join(peaks)}.", 3.8, [LayerPanel(metric, each)])


def _cut(row: Row) -> str:
    return f" at {row.max_tokens} pieces" if isinstance(row, OwnDocumentRow) else ""


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
    figures=figures,
    lines=lines,
    context=context,
)
