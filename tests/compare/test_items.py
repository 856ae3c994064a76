"""Numbers of sentences and mentions: whatever one model leaves out, the others stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from attnray.compare.items import itemised

from attnray.corpus.example import Antecedent, Example


def sentence(document: str, words: str, unit: int) -> Example:
    none = np.zeros(0, np.int32)
    bytes_ = np.zeros(0, np.int8)
    return Example(
        0, document, "", unit, 0, 0, none, [], bytes_, bytes_, none, words.split(), [], [], []
    )


def test_a_sentence_left_out_changes_no_other_number() -> None:
    long = sentence("a", "A long one .", 7)
    others = [sentence("a", "Yes .", 7), sentence("b", "Yes .", 8), sentence("b", "No .", 9)]
    whole, unit_of = itemised([long, *others])
    assert [unit_of[each.unit] for each in whole] == [7, 7, 8, 9]
    assert len(unit_of) == 4
    assert itemised(others)[0] == whole[1:]


def test_the_same_sentence_again_is_one_item() -> None:
    twice, unit_of = itemised([sentence("a", "Yes .", 7), sentence("a", "Yes .", 8)])
    assert twice[0].unit == twice[1].unit
    assert list(unit_of.values()) == [7]


def test_a_document_cut_earlier_keeps_the_numbers_of_its_mentions() -> None:
    mentions = [
        Antecedent(start, end, end, entity, "nominal", 3 + start // 2, 0)
        for start, end, entity in ((0, 0, "e"), (2, 3, "f"), (2, 3, "g"))
    ]
    whole = replace(sentence("a", "Ann saw a dog", 3), mentions=mentions)
    cut = replace(whole, words=whole.words[:1], mentions=mentions[:1])
    ((found,), unit_of), ((shorter,), _) = itemised([whole]), itemised([cut])
    assert len({mention.unit for mention in found.mentions}) == 3
    assert [unit_of[mention.unit] for mention in found.mentions] == [3, 4, 4]
    assert shorter.mentions == found.mentions[:1]
