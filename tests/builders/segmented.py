"""Examples as a shard would have them, straight from documents; the roles of single tokens."""

from __future__ import annotations

import numpy as np

from attnray.corpus.document import Document
from attnray.corpus.drafts import to_table
from attnray.corpus.example import Example, from_table
from attnray.corpus.segment import Segmenter
from attnray.model.pieces import TokenRole, WordPieces


def examples_of(segmenter: Segmenter, *documents: Document) -> list[Example]:
    """The examples of the next documents, in their order."""
    first = segmenter.counts["examples"]
    drafts = [draft for document in documents for draft in segmenter.drafts(document)]
    if not drafts:
        return []
    indices = range(first, first + len(drafts))
    return from_table(to_table(drafts, indices, [-1] * len(drafts), segmenter.word_pieces))


def role_of(pieces: WordPieces, piece: int, special: bool = False) -> TokenRole:
    """What a token is, as a piece of a word or as one of the template."""
    (role,) = pieces.roles(np.array([piece]), np.array([special]))
    return TokenRole(role)
