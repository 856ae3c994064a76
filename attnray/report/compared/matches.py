"""How head roles match: heads of every two models in pairs that find the same things."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from attnray.report.columns import MODEL, Column, PageTable, label, number
from attnray.report.compared.rows import MatchRow
from attnray.report.drawing.cells import cells
from attnray.report.findings import CorpusFindings, Placed, Source
from attnray.report.section import Section, template_of
from attnray.report.wording import head

MATCHES = Source("head_matches", MatchRow)
#: So many of the best matched heads of two models are shown.
MOST_PAIRS = 5
#: And so many models are drawn: more numbers could not be read.
MOST_DRAWN = 20


class Matched(NamedTuple):
    """Two models and their matched heads."""

    model: str
    other_model: str
    heads: list[MatchRow]

    @property
    def distance(self) -> float:
        """The mean distance of matched heads."""
        return fmean(row.distance for row in self.heads)

    @property
    def nearest(self) -> list[str]:
        """The pairs that stand out most from heads paired at random."""
        rows = sorted(self.heads, key=lambda row: row.distance - row.mean_distance)
        return [
            f"{head(row.layer, row.head)} ~ {head(row.other_layer, row.other_head)}"
            for row in rows[:MOST_PAIRS]
        ]


def matched(rows: Sequence[Placed[MatchRow]]) -> list[Matched]:
    """The matched heads of every two models."""
    pairs: dict[tuple[str, str], list[MatchRow]] = {}
    for model, _, row in rows:
        pairs.setdefault((model, row.other_model), []).append(row)
    return [Matched(*models, own) for models, own in pairs.items()]


def _together(pairs: Sequence[str]) -> Markup:
    """Pairs in a list that is not broken within one of them."""
    return Markup(", ").join(Markup('<span class="words">{}</span>').format(p) for p in pairs)


COLUMNS: tuple[Column[Matched], ...] = (
    MODEL,
    label("Other model", lambda pair: pair.other_model),
    number("Matched", lambda pair: f"{100 * pair.distance:.1f}"),
    number("At random", lambda pair: f"{100 * fmean(row.mean_distance for row in pair.heads):.1f}"),
    label("Heads of one ~ the other", lambda pair: _together(pair.nearest)),
)


def models_by_models(name: str, pairs: Sequence[Matched]) -> str:
    """How far apart matched heads of two models are."""
    named = [*(pair.model for pair in pairs), *(pair.other_model for pair in pairs)]
    models = list(dict.fromkeys(named))[:MOST_DRAWN]
    values = np.full((len(models), len(models)), np.nan)
    for pair in pairs:
        if pair.model in models and pair.other_model in models:
            one, other = models.index(pair.model), models.index(pair.other_model)
            values[one, other] = values[other, one] = 100 * pair.distance
    return cells(
        name,
        f"The mean distance between matched heads of each two of {len(models)} models.",
        "mean distance of matched heads (points)",
        values,
        models,
        models,
        "{:.1f}",
        around=1.8,
    )


SECTION: Section[CorpusFindings] = Section(
    "matches",
    "How head roles match",
    template_of(__file__),
    needs=[MATCHES],
    figures=lambda findings: {
        "matches": partial(models_by_models, pairs=matched(MATCHES.placed(findings.tables)))
    },
    context=lambda findings: {
        "matched": PageTable(
            "Table: matched heads", COLUMNS, matched(MATCHES.placed(findings.tables))
        )
    },
)
