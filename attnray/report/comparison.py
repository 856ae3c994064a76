"""The page of a comparison: for each corpus, the sections of its models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from attnray.report.columns import Column, PageTable, label
from attnray.report.compared import COMPARED
from attnray.report.findings import CorpusFindings, Tables
from attnray.report.rendering import Rendered, Report, rendered, whole_page
from attnray.report.section import Section
from attnray.report.wording import NOTHING, citation, legible


class Member(NamedTuple):
    """A model that is compared, its corpora, and where its report is, from the page on."""

    model: str
    corpora: Sequence[str]
    report: str | None


class CorpusPart(NamedTuple):
    """What the page has of a corpus."""

    corpus: str
    sections: list[Rendered]


def _report(member: Member) -> Markup:
    if member.report is None:
        return Markup(NOTHING)
    return Markup('<a href="{}">report of {}</a>').format(member.report, member.model)


MEMBERS: tuple[Column[Member], ...] = (
    label("Model", lambda member: member.model),
    label("Corpora", lambda member: ", ".join(member.corpora)),
    label("Report", _report),
)


def comparison(
    tables: Tables,
    members: Sequence[Member] = (),
    sections: Sequence[Section[CorpusFindings]] = COMPARED,
) -> Report:
    """The figures and the page of a comparison.

    Args:
        tables: its tables, with the rows of all models.
        members: what is compared; those over one corpus stand together.
        sections: those of each corpus, in the order of the page.
    """
    parts = [
        CorpusPart(
            findings.corpus,
            [
                rendered(each, findings, f"-{number}")
                for each in sections
                if each.is_shown(findings)
            ],
        )
        for number, corpus in enumerate(values_of(tables, "corpus"), 1)
        for findings in [CorpusFindings.of(tables, corpus)]
    ]
    models = [legible(model) for model in values_of(tables, "model")]
    shown = [Member(legible(m.model), [*map(legible, m.corpora)], m.report) for m in members]
    shown.sort(key=lambda member: tuple(member.corpora))
    context = {
        "parts": parts,
        "models": models,
        "members": PageTable("Table: models", MEMBERS, shown),
        "citation": citation(models, [part.corpus for part in parts]),
    }
    text = whole_page("comparison.html.jinja", context)
    return Report.of(text, [each for part in parts for each in part.sections])


def values_of(tables: Tables, column: str) -> list[str]:
    """Everything in a column of the tables, once."""
    names = (name for table in tables.values() for name in table[column].to_pylist())
    return list(dict.fromkeys(names))
