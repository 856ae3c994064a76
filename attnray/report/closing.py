"""The closing lines on the terminal: best heads of a run, those of the models of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from attnray.report.compared import COMPARED
from attnray.report.comparison import values_of
from attnray.report.findings import CorpusFindings, Facts, Findings, Tables
from attnray.report.page import Sections, shown
from attnray.report.section import Section
from attnray.report.sections import SECTIONS


def closing_lines(tables: Tables, model: str, sections: Sections = SECTIONS) -> str:
    """What the sections say when a run ends.

    Args:
        tables: those of the run, as far as it has any.
        model: whose rows: a random twin has rows too.
        sections: in the order in which they speak.
    """
    findings = Findings.of(tables, Facts(model))
    return "\n".join(line for each in shown(findings, sections) for line in each.lines(findings))


def closing_of_comparison(
    tables: Tables, sections: Sequence[Section[CorpusFindings]] = COMPARED
) -> str:
    """What the sections say when a comparison is made, of one corpus after another.

    Args:
        tables: its tables, with the rows of all models.
        sections: in the order in which they speak.
    """
    found = [CorpusFindings.of(tables, corpus) for corpus in values_of(tables, "corpus")]
    return "\n".join(
        line
        for findings in found
        for each in sections
        if each.is_shown(findings)
        for line in each.lines(findings)
    )
