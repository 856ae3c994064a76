"""Settings: how the run was made."""

from __future__ import annotations

from collections.abc import Mapping

from attnray.report.columns import Column, PageTable
from attnray.report.findings import Findings
from attnray.report.section import Section, template_of

COLUMNS: tuple[Column[tuple[str, str]], ...] = (
    Column("Setting", lambda setting: setting[0]),
    Column("Value", lambda setting: setting[1]),
)


def context(findings: Findings) -> Mapping[str, object]:
    """A row for every setting."""
    rows = list(findings.facts.settings.items())
    return {"settings": PageTable("Table: settings", COLUMNS, rows, look="settings")}


SECTION = Section("settings", "Settings", template_of(__file__), context=context)
