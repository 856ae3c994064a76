"""Importance: how much the loss hangs on attention, by layer (figure 3 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnray.metrics.importance import ImportanceRow
from attnray.report.drawing.by_layer import LayerPanel, Series, by_layer, series
from attnray.report.drawing.decades import decades
from attnray.report.findings import Findings, Source
from attnray.report.section import Section, template_of

GRADIENTS = Source("importance", ImportanceRow)
TARGETS = {
    "cls": "to [CLS]",
    "sep": "to [SEP]",
    "punctuation": 'to "." or ","',
    "other": "to other tokens",
}


def importance(name: str, rows: Sequence[ImportanceRow]) -> str:
    """The mean |d loss / d attention| by layer and target."""
    targets = series(TARGETS, [(row.target, row.layer, row.value) for row in rows])
    alt = (
        "Mean absolute gradient of the masked-LM loss with respect to attention, by layer, "
        "a mark for every head and a line for the layer mean. "
    )
    ranges = [_range(each) for each in targets if each.values]
    panel = LayerPanel("mean |∂loss / ∂attention| (nats)", targets, decades)
    return by_layer(name, f"{alt}{'; '.join(ranges)}.", 3.8, [panel])


def _range(target: Series) -> str:
    high, most = target.highest
    low, least = min(target.means.items(), key=lambda each: each[1])
    return (
        f"{target.label}: layer mean highest in layer {high} with {most:.2g}, "
        f"lowest in layer {low} with {least:.2g}"
    )


def context(findings: Findings) -> Mapping[str, object]:
    """What was averaged over."""
    return {
        "examples": GRADIENTS.rows(findings.tables)[0].examples,
        "corpus": GRADIENTS.corpus(findings.tables),
    }


SECTION = Section(
    "importance",
    "Importance",
    template_of(__file__),
    needs=[GRADIENTS],
    figures=lambda findings: {
        "importance": lambda name: importance(name, GRADIENTS.rows(findings.tables))
    },
    context=context,
)
