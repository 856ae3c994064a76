"""The sections of a run's page, one file each, its template beside it."""

from __future__ import annotations

from attnray.report.findings import Findings
from attnray.report.section import Section
from attnray.report.sections import (
    behaviours,
    importance,
    left_out,
    look,
    mentions,
    notes,
    own,
    patterns,
    probes,
    pronouns,
    relations,
    run,
    settings,
)
from attnray.report.sections.finder import section as finder

#: In the order of the page.
SECTIONS: tuple[Section[Findings], ...] = (
    finder.SECTION,
    run.SECTION,
    look.SECTION,
    patterns.SECTION,
    behaviours.SECTION,
    importance.SECTION,
    relations.SECTION,
    mentions.SECTION,
    pronouns.SECTION,
    probes.SECTION,
    own.SECTION,
    left_out.SECTION,
    notes.SECTION,
    settings.SECTION,
)
