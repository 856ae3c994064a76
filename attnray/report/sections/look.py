"""What was found, in one look: the sentences of all sections."""

from __future__ import annotations

from attnray.report.findings import Findings
from attnray.report.section import Section, template_of

SECTION: Section[Findings] = Section(
    "look",
    "In one look",
    template_of(__file__),
    shown=lambda findings: bool(findings.sentences),
    context=lambda findings: {"sentences": findings.sentences},
)
