"""What was run: the model, the corpora, and how much of them was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attnray.report.columns import Column, PageTable, label, number
from attnray.report.counts import CORPUS, MEASURED, kind
from attnray.report.findings import Findings
from attnray.report.section import Section, template_of
from attnray.report.wording import count


class ExamplesCount(NamedTuple):
    """The examples of one kind of a corpus, what they serve, and what there is of each item."""

    corpus: str
    kind: str
    roles: str
    counts: dict[str, int]


def counted(findings: Findings) -> list[ExamplesCount]:
    """A row for every kind of example of every corpus."""
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for _, corpus, row in CORPUS.placed(findings.tables):
        found.setdefault((corpus, kind(row), row.roles), {})[row.item] = row.count
    return [ExamplesCount(*which, counts) for which, counts in found.items()]


def _item(item: str) -> Column[ExamplesCount]:
    return number(item.capitalize(), lambda row: row.counts.get(item), count)


NOTE = "–: not counted of examples of this kind."
COLUMNS = (
    label("Corpus", lambda row: row.corpus),
    Column("Kind of example", lambda row: row.kind),
    Column("Serves", lambda row: row.roles),
    *map(_item, MEASURED),
)


def context(findings: Findings) -> Mapping[str, object]:
    """The facts, and the table of counts where there is one."""
    rows = counted(findings)
    return {
        "facts": findings.facts,
        "measured": PageTable("What was measured", COLUMNS, rows, source="corpus", note=NOTE)
        if rows
        else None,
    }


SECTION = Section("run", "What was run", template_of(__file__), uses=[CORPUS], context=context)
