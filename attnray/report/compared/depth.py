"""Behaviours by depth: what the heads of each layer do, in models of any number of layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from attnray.report.compared.rows import DepthRow
from attnray.report.drawing.by_depth import Share, by_depth
from attnray.report.findings import CorpusFindings, Placed, Source
from attnray.report.section import Section, template_of

DEPTHS = Source("behaviours_by_depth", DepthRow)


def models_by_depth(name: str, rows: Sequence[Placed[DepthRow]]) -> str:
    """The share of heads with each behaviour, a panel a model."""
    models: dict[str, list[Share]] = {}
    for model, _, row in rows:
        models.setdefault(model, []).append((row.depth, row.behaviour, row.share))
    about = f"The share of heads with each behaviour by relative depth, for {len(models)} models."
    return by_depth(name, about, models)


SECTION: Section[CorpusFindings] = Section(
    "depth",
    "Behaviours by depth",
    template_of(__file__),
    needs=[DEPTHS],
    figures=lambda findings: {
        "depth": partial(models_by_depth, rows=DEPTHS.placed(findings.tables))
    },
)
