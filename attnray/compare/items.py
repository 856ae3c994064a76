"""What two models may both have: sentences and mentions, by numbers that no model decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from attnray.corpus.example import Antecedent, Example


def itemised(examples: Sequence[Example]) -> tuple[list[Example], dict[int, int]]:
    """The examples with every sentence and every mention as a unit of its own: an item.

    A sentence is known by its document and words, a mention by its document, span and entity:
    whatever a model leaves out or cuts, and wherever shards end, the others keep their numbers.
    Those known by the same are one item.

    Returns:
        The examples, and the unit of each item.
    """
    unit_of: dict[int, int] = {}

    def mention_alone(mention: Antecedent, document: str) -> Antecedent:
        item = _number(document, mention.start, mention.end, mention.entity)
        unit_of.setdefault(item, mention.unit)
        return replace(mention, unit=item)

    def alone(example: Example) -> Example:
        item = _number(example.document, *example.words)
        unit_of.setdefault(item, example.unit)
        mentions = [mention_alone(mention, example.document) for mention in example.mentions]
        return replace(example, unit=item, mentions=mentions)

    return [alone(example) for example in examples], unit_of


def _number(*name: object) -> int:
    """A number for a name, of 56 bits: among a million two are alike in one of 10^5 corpora."""
    return int.from_bytes(hashlib.blake2b(repr(name).encode(), digest_size=7).digest())
