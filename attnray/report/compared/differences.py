"""Differences between models: their best heads, held out, in pairs over documents."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from attnray.report import columns
from attnray.report.claims import TOO_FEW, untested
from attnray.report.columns import Column, PageTable, label, number, of_row
from attnray.report.compared.rows import DifferenceRow
from attnray.report.findings import CorpusFindings, Placed, Source
from attnray.report.section import Section, template_of
from attnray.report.wording import count, p_value, percent, spaced

DIFFERENCES = Source("differences", DifferenceRow)
#: With more pairs of models than this, differences by item are in the table alone.
FEW_PAIRS = 6


NOTE = f"–, too few: {TOO_FEW}, or the interval would be longer than 100 points."
FIRST: list[Column[DifferenceRow]] = [
    label("Less", lambda row: row.other_model),
    label("Of", lambda row: f"{row.metric}: {spaced(row.item)}"),
    columns.held_out("Held out"),
    number("Other", attrgetter("other_heldout_accuracy"), percent),
    *columns.differing("", "95% interval")[:-1],
]
P_VALUE: Column[DifferenceRow] = number("p", attrgetter("p_value"), p_value)
CORRECTED: Column[DifferenceRow] = columns.differing("", "")[-1]
LAST: list[Column[DifferenceRow]] = [
    columns.cases("Cases"),
    Column(
        "Not shared",
        lambda row: f"{count(row.left_out)} / {count(row.other_left_out)}",
        "number",
        attrgetter("left_out"),
    ),
]


def together(findings: CorpusFindings) -> list[Placed[DifferenceRow]]:
    """The differences over all cases of a metric."""
    return [each for each in DIFFERENCES.placed(findings.tables) if each.row.item == "all"]


def context(findings: CorpusFindings) -> Mapping[str, object]:
    """The differences over all cases, and by item where there are few pairs."""
    rows = DIFFERENCES.placed(findings.tables)
    few = len({(each.model, each.row.other_model) for each in rows}) <= FEW_PAIRS
    label = "Table: differences between models"
    plain = [columns.MODEL, *of_row(*FIRST, P_VALUE, *LAST)]
    corrected = [columns.MODEL, *of_row(*FIRST, CORRECTED, *LAST)]
    named, single = DIFFERENCES.name, untested("relations, types of mention or genders")
    frequent = sorted(rows, key=lambda each: (each.row.metric, -each.row.total))
    return {
        "together": PageTable(label, plain, together(findings), "", named, NOTE),
        "by_item": PageTable(label, corrected, frequent, "", named, single) if few else None,
    }


SECTION = Section(
    "differences",
    "Differences between models",
    template_of(__file__),
    needs=[DIFFERENCES],
    shown=lambda findings: bool(together(findings)),
    context=context,
)
