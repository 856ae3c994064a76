"""A run of words of one document with its word pieces: cut, and joined to another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import NamedTuple

from attnray.corpus.document import NO_HEAD


class Text(NamedTuple):
    """A run of words, with `pieces` for each of them, `length` in all."""

    words: list[str]
    heads: list[int]
    relations: list[str]
    pieces: list[list[int]]
    length: int

    @classmethod
    def of(
        cls, words: list[str], heads: list[int], relations: list[str], pieces: list[list[int]]
    ) -> Text:
        """A text of these words."""
        return cls(words, heads, relations, pieces, sum(map(len, pieces)))

    @property
    def dependencies(self) -> int:
        """How many words have a head in it, and the relation to it."""
        governed = len(self.heads) - self.heads.count(0) - self.heads.count(NO_HEAD)
        if not governed or "" not in self.relations:
            return governed
        pairs = zip(self.heads, self.relations, strict=True)
        return sum(head > 0 and bool(relation) for head, relation in pairs)

    def cut(self, room: int) -> Text:
        """Its first words, as many as fit into `room` pieces."""
        kept = bisect_right(list(accumulate(map(len, self.pieces))), room)
        heads = [head if head <= kept else NO_HEAD for head in self.heads[:kept]]
        return Text.of(self.words[:kept], heads, self.relations[:kept], self.pieces[:kept])


def joined(texts: Sequence[Text]) -> Text:
    """One text of several, in their order."""
    if len(texts) == 1:
        return texts[0]
    before = accumulate((len(text.words) for text in texts), initial=0)
    heads = [
        head + start if head > 0 else head
        for text, start in zip(texts, before, strict=False)
        for head in text.heads
    ]
    return Text(
        words=list(chain.from_iterable(text.words for text in texts)),
        heads=heads,
        relations=list(chain.from_iterable(text.relations for text in texts)),
        pieces=list(chain.from_iterable(text.pieces for text in texts)),
        length=sum(text.length for text in texts),
    )
