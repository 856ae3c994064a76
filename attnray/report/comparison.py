"""The page of a comparison: for each corpus, the sections of its models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attnray.report.compared import COMPARED
from attnray.report.findings import CorpusFindings, Tables
from attnray.report.rendering import Rendered, Report, rendered, whole_page
from attnray.report.section import Section
from attnray.report.wording import legible


class CorpusPart(NamedTuple):
    """What the page has of a corpus."""

    corpus: str
    sections: list[Rendered]


def comparison(tables: Tables, sections: Sequence[Section[CorpusFindings]] = COMPARED) -> Report:
    """The figures and the page of a comparison.

    Args:
        tables: its tables, with the rows of all models.
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
    text = whole_page("comparison.html.jinja", {"parts": parts, "models": models})
    return Report.of(text, [each for part in parts for each in part.sections])


def values_of(tables: Tables, column: str) -> list[str]:
    """Everything in a column of the tables, once."""
    names = (name for table in tables.values() for name in table[column].to_pylist())
    return list(dict.fromkeys(names))
