"""Numbers of sentences and mentions: whatever one model leaves out, the others stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attnray.compare.items import Items
from attnray.corpus.example import Antecedent, Example


def sentence(document: str, words: str, unit: int) -> Example:
    none = np.zeros(0, np.int32)
    bytes_ = np.zeros(0, np.int8)
    return Example(
        0, document, "", unit, 0, 0, none, [], bytes_, bytes_, none, words.split(), [], [], []
    )


def numbers(*shards: list[Example]) -> tuple[list[int], Items]:
    items = Items()
    return [each.unit for shard in shards for each in items.alone(shard)], items


def test_a_sentence_left_out_changes_no_other_number() -> None:
    said = [sentence("a", "Yes .", 7), sentence("a", "A long one .", 7)]
    again = [sentence("a", "Yes .", 7), sentence("b", "Yes .", 8)]
    whole, items = numbers(said, again)
    assert len(set(whole)) == 4
    assert [items.unit_of[number] for number in whole] == [7, 7, 7, 8]
    without, _ = numbers([said[0], *again])
    assert without == [whole[0], *whole[2:]]


def test_a_document_cut_earlier_keeps_the_numbers_of_its_mentions() -> None:
    mentions = [
        Antecedent(start, end, end, entity, "nominal", 3 + start // 2, 0)
        for start, end, entity in ((0, 0, "e"), (2, 3, "f"), (2, 3, "g"))
    ]
    whole = replace(sentence("a", "Ann saw a dog", 3), mentions=mentions)
    cut = replace(whole, words=whole.words[:1], mentions=mentions[:1])
    items, others = Items(), Items()
    (found,), (shorter,) = items.alone([whole]), others.alone([cut])
    assert len({mention.unit for mention in found.mentions}) == 3
    assert [items.unit_of[mention.unit] for mention in found.mentions] == [3, 4, 4]
    assert shorter.mentions == found.mentions[:1]
