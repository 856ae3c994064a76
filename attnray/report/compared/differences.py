"""Differences between models: their best heads, held out, in pairs over documents."""

from __future__ import annotations

from collections.abc import Mapping

from attnray.report import columns
from attnray.report.columns import Column, PageTable, label, number, of_row
from attnray.report.compared.rows import DifferenceRow
from attnray.report.findings import CorpusFindings, Placed, Source
from attnray.report.section import Section, template_of
from attnray.report.wording import count, p_value, percent, points, signed_interval, spaced

DIFFERENCES = Source("differences", DifferenceRow)
#: With more pairs of models than this, differences by item are in the table alone.
FEW_PAIRS = 6


FIRST: list[Column[DifferenceRow]] = [
    label("Less", lambda row: row.other_model),
    label("Of", lambda row: f"{row.metric}: {spaced(row.item)}"),
    columns.held_out("Held out"),
    number("Other", lambda row: percent(row.other_heldout_accuracy)),
    number("Difference", lambda row: points(row.difference)),
    number("95% interval", lambda row: signed_interval(row.ci_low, row.ci_high)),
    number("p", lambda row: p_value(row.p_value)),
]
CORRECTED: Column[DifferenceRow] = number("Holm’s p", lambda row: p_value(row.p_holm))
LAST: list[Column[DifferenceRow]] = [
    columns.cases("Cases"),
    number("Not shared", lambda row: f"{count(row.left_out)} / {count(row.other_left_out)}"),
]


def together(findings: CorpusFindings) -> list[Placed[DifferenceRow]]:
    """The differences over all cases of a metric."""
    return [each for each in DIFFERENCES.placed(findings.tables) if each.row.item == "all"]


def context(findings: CorpusFindings) -> Mapping[str, object]:
    """The differences over all cases, and by item where there are few pairs."""
    rows = DIFFERENCES.placed(findings.tables)
    few = len({(each.model, each.row.other_model) for each in rows}) <= FEW_PAIRS
    label = "Table: differences between models"
    plain = [columns.MODEL, *of_row(*FIRST, *LAST)]
    corrected = [columns.MODEL, *of_row(*FIRST, CORRECTED, *LAST)]
    return {
        "together": PageTable(label, plain, together(findings)),
        "by_item": PageTable(label, corrected, rows) if few else None,
    }


SECTION = Section(
    "differences",
    "Differences between models",
    template_of(__file__),
    needs=[DIFFERENCES],
    shown=lambda findings: bool(together(findings)),
    context=context,
)
