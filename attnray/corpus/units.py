"""The units of intervals and folds: documents, or blocks of sentences where those are few."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from attnray.corpus.document import Document

#: With fewer documents than this, blocks of so many consecutive sentences stand in.
FEWEST_DOCUMENTS = 20
BLOCK_SENTENCES = 20
FOLDS = 5


@dataclass
class Units:
    """Numbers the unit of every sentence, document after document in corpus order.

    `blocks` says whether units are blocks of `BLOCK_SENTENCES` sentences of the corpus.
    """

    blocks: bool
    _documents: int = 0
    _sentences: int = 0

    @property
    def count(self) -> int:
        """How many units there are so far."""
        return -(-self._sentences // BLOCK_SENTENCES) if self.blocks else self._documents

    def of(self, document: Document) -> list[int]:
        """The unit of each sentence of the next document."""
        first, count = self._sentences, len(document.sentences)
        self._sentences += count
        self._documents += 1
        if self.blocks:
            return [sentence // BLOCK_SENTENCES for sentence in range(first, first + count)]
        return [self._documents - 1] * count

    def name(self, unit: int, document: Document) -> str:
        """What folds are made of: the document's id, or the block's number from 1."""
        return f"block-{unit + 1}" if self.blocks else document.id


@lru_cache(1024)
def fold_of(name: str) -> int:
    """The fold (0 to 4) of a unit, by the sha256 of its name."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % FOLDS
