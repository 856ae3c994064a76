"""The head word and the type of a mention (definitions: Coreference)."""

from __future__ import annotations

from collections.abc import Sequence

from attnray.corpus.document import NO_HEAD

_TYPES = {
    "PRON": "pronoun",
    "PRP": "pronoun",
    "PRP$": "pronoun",
    "PROPN": "proper",
    "NNP": "proper",
    "NNPS": "proper",
}


def head_word(start: int, end: int, heads: Sequence[int]) -> int:
    """The first word of `start` to `end` (from 0, both included) governed from outside.

    `heads` are those of the document's words: 0 for a root, which is outside, and word
    numbers from 1. Where no word has a head, the last word stands in.
    """
    for word in range(start, end + 1):
        head = heads[word]
        if head != NO_HEAD and not start <= head - 1 <= end:
            return word
    return end


def mention_type(upos: str, xpos: str) -> str:
    """pronoun, proper or nominal, by the head's UPOS, or XPOS where that is missing."""
    return _TYPES.get(upos or xpos, "nominal")
