"""Ambiguous pronouns: the best heads of several models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from operator import attrgetter

from attnray.metrics.gap import BestPronounRow
from attnray.report import columns
from attnray.report.columns import Column, PageTable, label, number, of_row
from attnray.report.compared.antecedents import gains_by_kind, models_by_kind
from attnray.report.findings import CorpusFindings, Placed
from attnray.report.section import Draw, Section, template_of
from attnray.report.sections.pronouns import BEST
from attnray.report.wording import factor, percent

COLUMNS: list[Column[Placed[BestPronounRow]]] = [
    columns.MODEL,
    *of_row(
        label("Pronouns", attrgetter("gender")),
        number("Pieces", attrgetter("max_tokens")),
        columns.HEAD,
        columns.ACCURACY,
        columns.INTERVAL,
        columns.held_out("Held out"),
        number("F1", attrgetter("f1"), percent),
        number("Bias", attrgetter("bias"), factor),
        columns.RULE,
        columns.RULE_ACCURACY,
        number("Its F1", attrgetter("baseline_f1"), percent),
        columns.cases("Passages"),
    ),
]


NOTE = (
    "–: there is no such pronoun; or an interval or a held-out score would need more documents. "
    "Bias is that of all genders together."
)


def figures(findings: CorpusFindings) -> Mapping[str, Draw]:
    """How often the best head chooses the right name."""
    rows = BEST.placed(findings.tables)
    kind = attrgetter("gender")
    return {"pronouns": partial(models_by_kind, rows=rows, kind=kind, texts="passages")}


def context(findings: CorpusFindings) -> Mapping[str, object]:
    """The best heads."""
    table = PageTable(
        "Table: ambiguous pronouns",
        COLUMNS,
        BEST.placed(findings.tables),
        source=BEST.name,
        note=NOTE,
    )
    return {"best": table, "corpus": findings.corpus}


SECTION = Section(
    "pronouns",
    "Ambiguous pronouns",
    template_of(__file__),
    needs=[BEST],
    figures=figures,
    lines=partial(gains_by_kind, best=BEST, kind=attrgetter("gender"), what="pronouns"),
    context=context,
)
