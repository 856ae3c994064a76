"""How head roles match: heads of every two models in pairs that find the same things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from attnray.report.claims import LEVEL
from attnray.report.columns import MODEL, Column, PageTable, label, number
from attnray.report.compared.rows import MatchRow
from attnray.report.drawing.cells import cells
from attnray.report.findings import CorpusFindings, Source
from attnray.report.section import Draw, Section, template_of
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
    def alike(self) -> list[MatchRow]:
        """The pairs that are nearer than heads without roles would be, the nearest first."""
        found = [row for row in self.heads if row.p_holm < LEVEL]
        return sorted(found, key=lambda row: row.distance - row.mean_distance)


def matched(findings: CorpusFindings) -> list[Matched]:
    """The matched heads of every two models."""
    pairs: dict[tuple[str, str], list[MatchRow]] = {}
    for model, _, row in MATCHES.placed(findings.tables):
        pairs.setdefault((model, row.other_model), []).append(row)
    return [Matched(*models, own) for models, own in pairs.items()]


def alike(findings: CorpusFindings) -> list[Matched]:
    """Those of every two models that have some heads which are alike."""
    return [pair for pair in matched(findings) if pair.alike]


def _together(pairs: Sequence[MatchRow]) -> Markup:
    """The first pairs in a list that is not broken within one of them."""
    named = (
        f"{head(row.layer, row.head)} ~ {head(row.other_layer, row.other_head)}"
        for row in pairs[:MOST_PAIRS]
    )
    return Markup(", ").join(Markup('<span class="words">{}</span>').format(p) for p in named)


def _tenth(value: float) -> str:
    return f"{100 * value:.1f}"


COLUMNS: tuple[Column[Matched], ...] = (
    MODEL,
    label("Other model", lambda pair: pair.other_model),
    number("Heads alike", lambda pair: len(pair.alike)),
    number("of", lambda pair: len(pair.heads)),
    number("Their distance", lambda pair: fmean(row.distance for row in pair.alike), _tenth),
    number("At random", lambda pair: fmean(row.mean_distance for row in pair.alike), _tenth),
    label("Heads of one ~ the other", lambda pair: _together(pair.alike)),
)


def models_by_models(name: str, pairs: Sequence[Matched]) -> str:
    """How many heads of two models are alike."""
    named = [*(pair.model for pair in pairs), *(pair.other_model for pair in pairs)]
    models = list(dict.fromkeys(named))[:MOST_DRAWN]
    values = np.full((len(models), len(models)), np.nan)
    for pair in pairs:
        if pair.model in models and pair.other_model in models:
            one, other = models.index(pair.model), models.index(pair.other_model)
            values[one, other] = values[other, one] = len(pair.alike)
    return cells(
        name,
        f"How many heads of each two of {len(models)} models are alike.",
        "heads that are alike",
        values,
        models,
        models,
        around=1.8,
    )


def figures(findings: CorpusFindings) -> Mapping[str, Draw]:
    """Models by models, where there are more than two."""
    pairs = matched(findings)
    return {"matches": partial(models_by_models, pairs=pairs)} if len(pairs) > 1 else {}


def context(findings: CorpusFindings) -> Mapping[str, object]:
    """The heads that are alike."""
    label = "Table: matched heads"
    return {"matched": PageTable(label, COLUMNS, alike(findings), source=MATCHES.name)}


SECTION: Section[CorpusFindings] = Section(
    "matches",
    "Heads that play the same role",
    template_of(__file__),
    needs=[MATCHES],
    shown=lambda findings: bool(alike(findings)),
    figures=figures,
    context=context,
)
