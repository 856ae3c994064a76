"""The table `corpus`, as two sections show it."""

from __future__ import annotations

from attnray.corpus.counts import CorpusRow
from attnray.report.findings import Source

CORPUS = Source("corpus", CorpusRow)
#: What is counted of what was measured; everything else was left out.
MEASURED = ("documents", "examples", "words", "pieces", "dependencies", "mentions")


def kind(row: CorpusRow) -> str:
    """The kind of its examples, with what they were cut to."""
    return row.kind if row.max_tokens is None else f"{row.kind} of {row.max_tokens} pieces at most"
