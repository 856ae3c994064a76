"""What every corpus reader yields: documents of annotated sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: The syntactic head of a word whose corpus gives none (HEAD is `_`).
NO_HEAD = -1


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: parallel lists with one entry per word.

    `heads` holds 0 for the root, the number of the head word (from 1) otherwise, and
    `NO_HEAD` where the corpus has no tree. `feats` are features as CoNLL-U has them. Missing tags,
    relations and features are empty strings.
    `id` is the corpus's own name of the sentence, or empty.
    """

    id: str
    words: list[str]
    upos: list[str]
    xpos: list[str]
    heads: list[int]
    relations: list[str]
    feats: list[str]

    @classmethod
    def unannotated(cls, words: list[str]) -> Sentence:
        """A sentence of which only the words are known."""
        empty = [""] * len(words)
        return cls("", words, empty, empty, [NO_HEAD] * len(words), empty, empty)


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """A coreferent mention: words `start` to `end` of the document, from 0, both included."""

    start: int
    end: int
    entity: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document: its sentences, its mentions in (start, end) order, and what was left out.

    `left_out` counts annotations the reader could not represent, by reason.
    """

    id: str
    sentences: list[Sentence]
    mentions: list[Mention]
    left_out: Counter[str] = field(default_factory=Counter)
