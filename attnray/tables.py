"""All tables by name, each with the type of its rows; as a program, their documentation.

`python -m attnray.tables > docs/tables.md` writes that anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import NoneType
from typing import get_args, get_type_hints

from attnray.corpus.counts import CorpusRow
from attnray.metrics.heads import HeadRow
from attnray.metrics.registry import METRICS
from attnray.probe.tables import ProbeDifferenceRow, ProbeRow
from attnray.report.compared.rows import DepthRow, DifferenceRow, MatchRow
from attnray.report.reproduction import ReproductionRow

#: Those of a run.
RUN: Mapping[str, type] = {
    **{name: row for metric in METRICS.values() for name, row in metric.rows.items()},
    "heads": HeadRow,
    "probes": ProbeRow,
    "probe_differences": ProbeDifferenceRow,
    "corpus": CorpusRow,
    "reproduction": ReproductionRow,
}
#: Those that a comparison makes of several models, beside what it takes from their runs.
COMPARISON: Mapping[str, type] = {
    "differences": DifferenceRow,
    "probe_differences": ProbeDifferenceRow,
    "head_matches": MatchRow,
    "behaviours_by_depth": DepthRow,
}

_KINDS = {int: "integer", float: "number", str: "text"}


def documentation() -> str:
    """The text of docs/tables.md."""
    parts = [
        "# The tables, column by column",
        "What a row of each table is, and its columns in order; before them come `model` and\n"
        "`corpus`, both text. What they mean is in [definitions.md](definitions.md). This page is\n"
        "made by `python -m attnray.tables > docs/tables.md`.",
        *_chapter("Of a run", RUN),
        *_chapter("Of a comparison", COMPARISON),
    ]
    return "\n\n".join(parts) + "\n"


def _chapter(title: str, tables: Mapping[str, type]) -> Iterator[str]:
    yield f"## {title}"
    for name, row in tables.items():
        yield f"### {name}"
        yield _meaning(row)
        yield "\n".join(f"- `{column}`: {kind}" for column, kind in _columns(row))


def _meaning(row: type) -> str:
    """What the row type says behind `A row of NAME:`."""
    meaning = (inspect.getdoc(row) or "").partition("\n")[0].partition(": ")[2]
    return meaning[:1].upper() + meaning[1:]


def _columns(row: type) -> Iterator[tuple[str, str]]:
    hints = get_type_hints(row)
    for field in fields(row):
        kinds = get_args(hints[field.name]) or (hints[field.name],)
        null = " or null" if NoneType in kinds else ""
        yield field.name, f"{_KINDS[kinds[0]]}{null}"


if __name__ == "__main__":
    print(documentation(), end="")
