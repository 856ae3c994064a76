"""The table `corpus`: what was measured of a corpus, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CorpusRow:
    """A row of `corpus`: a count of what was measured, or left out, of the examples of a kind."""

    kind: str
    item: str
    count: int
    max_tokens: int | None
    roles: str
