"""What two models may both have: sentences and mentions, by numbers that no model decides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from attnray.corpus.example import Example


class Items:
    """Numbers the sentences and mentions of a corpus, shard after shard, and knows their units.

    A sentence is known by its document and words, a mention by its document, span and entity,
    and by how many of the same came before: whatever a model leaves out or cuts, the others
    keep their numbers.
    """

    def __init__(self) -> None:
        self._before: Counter[bytes] = Counter()
        #: The unit of each item.
        self.unit_of: dict[int, int] = {}

    def alone(self, examples: Sequence[Example]) -> list[Example]:
        """The examples of the next shard, with every item as a unit of its own."""
        return [
            replace(
                example,
                unit=self._number(example.unit, example.document, example.words),
                mentions=[
                    replace(
                        mention,
                        unit=self._number(
                            mention.unit,
                            example.document,
                            [mention.start, mention.end, mention.entity],
                        ),
                    )
                    for mention in example.mentions
                ],
            )
            for example in examples
        ]

    def _number(self, unit: int, document: str, name: Sequence[object]) -> int:
        # 56 bits, so that no sign gets in the way: two of a million items meet once in 10^5 runs.
        name_hash = hashlib.blake2b(repr((document, name)).encode(), digest_size=16).digest()
        occurrence = self._before[name_hash].to_bytes(4)
        self._before[name_hash] += 1
        number = hashlib.blake2b(name_hash + occurrence, digest_size=7).digest()
        item = int.from_bytes(number)
        self.unit_of[item] = unit
        return item
