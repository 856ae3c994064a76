"""The sections of a comparison, of each corpus: one file each, its template beside it."""

from __future__ import annotations

from attnray.report.compared import (
    depth,
    differences,
    matches,
    mentions,
    probes,
    pronouns,
    relations,
)
from attnray.report.findings import CorpusFindings
from attnray.report.section import Section

#: In the order of the page.
COMPARED: tuple[Section[CorpusFindings], ...] = (
    relations.SECTION,
    mentions.SECTION,
    pronouns.SECTION,
    differences.SECTION,
    probes.SECTION,
    depth.SECTION,
    matches.SECTION,
)
