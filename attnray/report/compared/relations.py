"""Relations: the best heads of several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from attnray.metrics.syntax import ALL, ALL_BUT_PUNCT, PUNCT, BestRelationRow
from attnray.report import columns
from attnray.report.claims import untested
from attnray.report.columns import Column, PageTable, label, of_row
from attnray.report.drawing.by_model import MOST_MODELS
from attnray.report.drawing.cells import cells
from attnray.report.findings import CorpusFindings, Placed
from attnray.report.listing import by_model
from attnray.report.section import Section, template_of
from attnray.report.sections.relations import BEST, RELATION, by_gain, direction

#: Beside all of them together, so many relations are drawn, the most frequent ones.
MOST_RELATIONS = 16
#: The row below the models.
BASELINE = "best fixed offset"
SCORES = (
    columns.ACCURACY,
    columns.INTERVAL,
    columns.held_out("Held out"),
    columns.rule_held_out("Best offset held out"),
    *columns.less_baseline("its interval"),
)
TOGETHER: list[Column[Placed[BestRelationRow]]] = [
    columns.MODEL,
    *of_row(
        columns.HEAD,
        label("Direction", lambda row: direction(row.direction)),
        *SCORES[:-1],
        columns.cases("Cases"),
    ),
]
BY_RELATION: list[Column[Placed[BestRelationRow]]] = [
    *of_row(RELATION),
    columns.MODEL,
    *of_row(columns.HEAD, *SCORES, columns.cases("Cases")),
]


def context(findings: CorpusFindings) -> Mapping[str, object]:
    """The best heads over all relations together, and of each relation."""
    rows = BEST.placed(findings.tables)
    together = [each for each in rows if each.row.relation == ALL]
    names = frequent(rows)
    by_relation = sorted(rows, key=lambda each: names.index(each.row.relation))
    note = untested("relations")
    return {
        "corpus": findings.corpus,
        "together": PageTable("Table: best heads", TOGETHER, together, "", BEST.name, note),
        "by_relation": PageTable(
            "Table: best heads by relation", BY_RELATION, by_relation, "", BEST.name, note
        ),
    }


def frequent(rows: Sequence[Placed[BestRelationRow]]) -> list[str]:
    """The relations: those that stand for several, then those with the most cases."""
    totals: dict[str, int] = {}
    for _, _, row in rows:
        totals[row.relation] = max(totals.get(row.relation, 0), row.total)
    return sorted(totals, key=lambda each: (each not in (ALL, ALL_BUT_PUNCT), -totals[each], each))


def models_by_relations(name: str, rows: Sequence[Placed[BestRelationRow]]) -> str:
    """How often the best head, held out, is right, and the best offset below."""
    rows = [each for each in rows if each.row.relation != ALL_BUT_PUNCT]
    models = list(dict.fromkeys(each.model for each in rows))[:MOST_MODELS]
    names = frequent(rows)[: MOST_RELATIONS + 1]
    values = np.full((len(models) + 1, len(names)), np.nan)
    for model, _, row in rows:
        if model in models and row.relation in names:
            own, rule = row.heldout_accuracy, row.baseline_heldout_accuracy
            if own is None:
                own, rule = row.accuracy, row.baseline_accuracy
            place = names.index(row.relation)
            values[models.index(model), place] = np.nan if own is None else 100 * own
            # Offsets know nothing of models: theirs differ where one leaves sentences out.
            values[-1, place] = np.nan if rule is None else 100 * rule
    return cells(
        name,
        f"Held-out accuracy of the best head, {len(models)} models by {len(names)} relations.",
        "accuracy of the best head, held out (%)",
        values,
        [*models, BASELINE],
        names,
        top=100,
    )


def lines(findings: CorpusFindings) -> list[str]:
    """What the best heads gain, by model; of each relation what some model gains counts."""
    left_out = (ALL_BUT_PUNCT, PUNCT)
    rows = [each for each in BEST.placed(findings.tables) if each.row.relation not in left_out]
    rows.sort(key=lambda each: (each.row.relation != ALL, by_gain(each.row)))
    named = ((each.model, each.row.relation, each.row) for each in rows)
    more = f" relations: tables/{BEST.name}.parquet"
    return [by_model(findings.corpus, "offset", named, more)]


SECTION = Section(
    "relations",
    "Relations",
    template_of(__file__),
    needs=[BEST],
    figures=lambda findings: {
        "relations": partial(models_by_relations, rows=BEST.placed(findings.tables))
    },
    lines=lines,
    context=context,
)
