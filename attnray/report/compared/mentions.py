"""Coreference: the best heads of several models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from operator import attrgetter

from attnray.metrics.coreference import BestMentionRow
from attnray.report import columns
from attnray.report.claims import untested
from attnray.report.columns import Column, PageTable, number, of_row
from attnray.report.compared.antecedents import gains_by_kind, models_by_kind
from attnray.report.findings import CorpusFindings, Placed
from attnray.report.section import Draw, Section, template_of
from attnray.report.sections.mentions import BEST, MENTION

COLUMNS: list[Column[Placed[BestMentionRow]]] = [
    columns.MODEL,
    *of_row(
        MENTION,
        number("Pieces", attrgetter("max_tokens")),
        columns.HEAD,
        columns.ACCURACY,
        columns.INTERVAL,
        columns.held_out("Held out"),
        columns.RULE,
        columns.RULE_ACCURACY,
        columns.rule_held_out("held out"),
        *columns.less_baseline("its interval"),
        columns.cases("Anaphors"),
    ),
]


def figures(findings: CorpusFindings) -> Mapping[str, Draw]:
    """How often the best head finds an antecedent."""
    rows = BEST.placed(findings.tables)
    kind = attrgetter("mention_type")
    return {"coreference": partial(models_by_kind, rows=rows, kind=kind, texts="documents")}


def context(findings: CorpusFindings) -> Mapping[str, object]:
    """The best heads."""
    table = PageTable(
        "Table: coreference",
        COLUMNS,
        BEST.placed(findings.tables),
        source=BEST.name,
        note=untested("types of mention"),
    )
    return {"best": table, "corpus": findings.corpus}


SECTION = Section(
    "coreference",
    "Coreference",
    template_of(__file__),
    needs=[BEST],
    figures=figures,
    lines=partial(gains_by_kind, best=BEST, kind=attrgetter("mention_type"), what="anaphors"),
    context=context,
)
