"""How a run was made, and how it is made again and cited."""

from __future__ import annotations

from collections.abc import Mapping

from attnray.report.columns import Column, PageTable
from attnray.report.findings import Findings
from attnray.report.section import Section, template_of
from attnray.report.wording import citation

COLUMNS: tuple[Column[tuple[str, str]], ...] = (
    Column("Setting", lambda setting: setting[0]),
    Column("Value", lambda setting: setting[1]),
)


def context(findings: Findings) -> Mapping[str, object]:
    """The command, a row for every setting, and how to cite it."""
    facts = findings.facts
    rows = list(facts.settings.items())
    return {
        "command": facts.command,
        "settings": PageTable("Table: settings", COLUMNS, rows, look="settings"),
        "citation": citation([facts.model], facts.corpora),
    }


SECTION = Section(
    "settings",
    "How to make this again",
    template_of(__file__),
    context=context,
)
