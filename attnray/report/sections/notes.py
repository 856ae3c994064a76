"""Notes: what the run left out, and why."""

from __future__ import annotations

from attnray.report.findings import Findings
from attnray.report.section import Section, template_of

SECTION: Section[Findings] = Section(
    "notes",
    "Notes",
    template_of(__file__),
    shown=lambda findings: bool(findings.facts.notes),
    context=lambda findings: {"notes": findings.facts.notes},
)
