"""Probes: what they read from the attention of several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from attnray.probe.tables import ProbeDifferenceRow, ProbeRow
from attnray.report import columns
from attnray.report.claims import untested
from attnray.report.columns import Column, PageTable, label, of_row
from attnray.report.drawing.by_model import Score, by_model
from attnray.report.findings import CorpusFindings, Placed
from attnray.report.listing import side_by_side
from attnray.report.section import Section, template_of
from attnray.report.sections.probes import DIFFERENCES, MORE, NOTE, PROBE, PROBES, SEED, UAS, means
from attnray.report.wording import percent, spaced

#: The probe whose interval is drawn.
FIRST = "attention_and_words"

COLUMNS = [columns.MODEL, *of_row(PROBE, SEED, UAS, columns.INTERVAL)]
DIFFERENCE_COLUMNS: list[Column[Placed[ProbeDifferenceRow]]] = [
    columns.MODEL,
    *of_row(label("Less", lambda row: row.other_model), PROBE, *MORE),
]


def models_by_probe(name: str, rows: Sequence[Placed[ProbeRow]]) -> str:
    """The UAS of each model's probes from its first seed."""
    first: dict[str, int] = {}
    for model, _, row in rows:
        first[model] = min(first.get(model, row.seed), row.seed)
    models: dict[str, dict[str, Score]] = {}
    for model, _, row in rows:
        if row.seed == first[model]:
            models.setdefault(model, {})[row.probe] = (row.uas, row.ci_low, row.ci_high)
    kinds = dict.fromkeys(probe for scores in models.values() for probe in scores)
    ordered = sorted(kinds, key=lambda kind: kind != FIRST)
    return by_model(name, "unlabelled attachment score", ordered, models)


def context(findings: CorpusFindings) -> Mapping[str, object]:
    """The probes, and the differences between models."""
    tables = findings.tables
    label, differences = "Table: differences between probes", DIFFERENCES.placed(tables)
    return {
        "corpus": findings.corpus,
        "probes": PageTable(
            "Table: probes", COLUMNS, PROBES.placed(tables), source=PROBES.name, note=NOTE
        ),
        "differences": PageTable(
            label, DIFFERENCE_COLUMNS, differences, "", DIFFERENCES.name, untested("probes")
        ),
    }


def lines(findings: CorpusFindings) -> list[str]:
    """UAS by model and probe, means over seeds."""
    by_model: dict[str, list[ProbeRow]] = {}
    for model, _, row in PROBES.placed(findings.tables):
        by_model.setdefault(model, []).append(row)
    scores = {
        model: {spaced(probe): percent(uas) for probe, uas in means(rows).items()}
        for model, rows in by_model.items()
    }
    return [side_by_side(f"{findings.corpus}: UAS of probes", scores)]


SECTION = Section(
    "probes",
    "Probes",
    template_of(__file__),
    needs=[PROBES],
    uses=[DIFFERENCES],
    figures=lambda findings: {
        "probes": partial(models_by_probe, rows=PROBES.placed(findings.tables))
    },
    lines=lines,
    context=context,
)
