"""The table `corpus`: what was measured of a corpus, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CorpusRow:
    """A row of `corpus`: a count of what was measured, or left out, of the examples of a kind."""

    kind: str
    item: str
    count: int
    max_tokens: int | None
    roles: str


#: What is said of a corpus: of an item, from which share on, of which other one, in which words.
REMARKS = (
    ("unknown_pieces", 0.02, "pieces", "word pieces are unknown to the model: does it suit them?"),
    ("placeholders", 0.01, "words", "words are placeholders such as _ or [WORD]"),
    ("sentences_with_circles", 0, "examples", "sentences have heads in a circle"),
    ("sentences_with_several_roots", 0, "examples", "sentences have more than one root"),
    ("sentences_without_root", 0, "examples", "sentences have no root"),
)


def remarks(corpus: str, counts: Mapping[str, int]) -> dict[str, str]:
    """What is to be said of the examples of a corpus, by the item that it is about."""
    return {
        item: f"{corpus}: {counts[item]:,} of {counts[whole]:,} {what}"
        for item, least, whole, what in REMARKS
        if counts.get(item) and counts[item] >= least * counts[whole]
    }
