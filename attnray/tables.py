"""All tables by name, each with the type of its rows; as a program, their documentation.

`python -m attnray.tables > docs/tables.md` writes that anew.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import NoneType, UnionType
from typing import get_args, get_type_hints

from attnray.corpus.counts import CorpusRow
from attnray.metrics.base import Predictor
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
#: What lies in these folders, but for `right`.
CASES: Mapping[str, type] = {
    f"cases/{name}": metric.case
    for name, metric in METRICS.items()
    if issubclass(metric, Predictor)
}

_HEAD = """\
# The tables, column by column

Tidy Parquet in `tables/`. Here is what a row of each table is, and its columns in order; before
them come `model` and `corpus`, both text. `layer` and `head` count from 1, shares and accuracies
are fractions, entropies nats, `ci_low` and `ci_high` the 95% interval over documents (over blocks
of 20 sentences where there are fewer than 20 documents). What they mean is in
[definitions.md](definitions.md).

This page is made by `python -m attnray.tables > docs/tables.md`."""
_CASES = """\
A row a case, in `cases/METRIC/NNNNN.parquet`. Words and examples count from 0. Behind these columns
stands `right`: for each (layer, head, direction), in this order, a bit that tells whether it was
right, the lowest bit of a byte first."""
_KINDS = {int: "integer", float: "number", str: "text", list[int]: "list of integers"}


def documentation() -> str:
    """The text of docs/tables.md."""
    parts = [
        _HEAD,
        *_chapter("Of a run", RUN),
        *_chapter("Of a comparison", COMPARISON),
        *_chapter("Cases", CASES, _CASES),
    ]
    return "\n\n".join(parts) + "\n"


def _chapter(title: str, tables: Mapping[str, type], *about: str) -> Iterator[str]:
    yield from (f"## {title}", *about)
    for name, row in tables.items():
        yield f"### {name}"
        yield _meaning(row)
        yield "\n".join(f"- `{column}`: {kind}" for column, kind in _columns(row))


def _meaning(row: type) -> str:
    """What the row type says, behind `A row of NAME:` where it begins so."""
    meaning = re.sub(r"^(A|The) row of .*?: ", "", (inspect.getdoc(row) or "").partition("\n")[0])
    return meaning[:1].upper() + meaning[1:]


def _columns(row: type) -> Iterator[tuple[str, str]]:
    hints = get_type_hints(row)
    for field in fields(row):
        hint = hints[field.name]
        kind, *others = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        yield field.name, f"{_KINDS[kind]}{' or null' if NoneType in others else ''}"


if __name__ == "__main__":
    print(documentation(), end="")
