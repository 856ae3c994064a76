"""Which heads and examples are shown: by the tables and the words alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from attnray.corpus.example import Example
from attnray.errors import InputError
from attnray.metrics.heads import HeadRow
from attnray.metrics.patterns import PatternRow
from attnray.metrics.rows import rows_of
from attnray.metrics.syntax import BestRelationRow
from attnray.model.pieces import TokenRole
from attnray.report.drawing.maps import MapPanel, attention_lines
from attnray.report.sections.behaviours import typical_heads
from attnray.report.sections.relations import related_words
from tests.builders import hand_made, hand_made_heads
from tests.builders.layout import faults


class Stored(Example):
    """An example whose weights say which head and sides were asked for."""

    def attention(
        self, layer: int, head: int, words: bool = False, merge: str = "mean"
    ) -> np.ndarray:
        count = len(self.words if words else self.tokens)
        return np.full((count, count), layer / 10 + head / 100 + len(merge) / 1000)


def stored(sentence: str, heads: list[int] | None = None, relations: str = "") -> Stored:
    words = sentence.split()
    tokens = ["[CLS]", *words, "[SEP]"]
    marks = [TokenRole.PUNCTUATION if word in (".", ",") else TokenRole.ORDINARY for word in words]
    return Stored(
        index=0,
        document="d",
        sentence="s",
        unit=0,
        fold=0,
        batch=0,
        pieces=np.arange(len(tokens), dtype=np.int32),
        tokens=tokens,
        types=np.zeros(len(tokens), np.int8),
        roles=np.array([TokenRole.CLS, *marks, TokenRole.SEP], np.int8),
        word_of_piece=np.array([-1, *range(len(words)), -1], np.int32),
        words=words,
        heads=heads or [0] * len(words),
        relations=relations.split() or ["root"] * len(words),
        mentions=[],
    )


def filled(words: int, ending: str = "") -> Stored:
    """So many words, the last of them given."""
    ends = ending.split()
    return stored(" ".join(["word"] * (words - len(ends)) + ends))


class Reader(list[Stored]):
    """A run of which everything is stored."""

    @property
    def stored(self) -> list[int]:
        return list(range(len(self)))


EIGHT = "nsubj root det obj cc nmod:poss obj punct"
TREES = Reader(
    [
        filled(7, ", ."),
        stored("he saw the man and his dog .", [2, 0, 4, 2, 7, 7, 2, 2], EIGHT),
        stored("he saw the man and his dog now .", [2, 0, 4, -1, 7, 7, 2, 2, 2], f"{EIGHT} advmod"),
        filled(16, ", ."),
        filled(17, ", ."),
    ]
)
HEADS = hand_made_heads.heads(3, 2, ["next", "next", "sep", "broad", "broad", "other"])
PATTERNS = hand_made.patterns(3, 2)


def related(reader: Any, rows: list[hand_made.Row], **other: Any) -> list[MapPanel]:
    best = hand_made.table(BestRelationRow, rows)
    return related_words(reader, rows_of(BestRelationRow, best), **other)


def typical(
    reader: Any,
    heads: pa.Table = HEADS,
    patterns: pa.Table = PATTERNS,
    examples: Sequence[int] = (),
) -> list[MapPanel]:
    return typical_heads(reader, rows_of(HeadRow, heads), rows_of(PatternRow, patterns), examples)


def relations(reader: Any = TREES, **other: Any) -> list[Any]:
    best = [
        hand_made.relation("obj", 10),
        hand_made.relation("det", 20, layer=2, direction="head_to_dependent"),
        hand_made.relation("punct", 90),
        hand_made.relation("all", 99),
        hand_made.relation("advcl", 80),
        hand_made.relation("advmod", 70, accuracy=0.358),
        hand_made.relation("nmod", 5, accuracy=0.9),
    ]
    return related(reader, best, **other)


def test_the_most_frequent_relations_that_beat_their_offset_and_have_an_example() -> None:
    assert [panel.title for panel in relations()] == [
        "det: head 2-1",
        "obj: head 3-1",
        "nmod: head 3-1",
    ]


def test_no_more_relations_than_fit() -> None:
    names = [f"r{number}" for number in range(9)]
    tree = stored(" ".join(["w"] * 9), [2] * 9, " ".join(names))
    assert len(related(Reader([tree]), [hand_made.relation(name, 9) for name in names])) == 6


def test_lines_go_from_the_attending_to_the_attended_word() -> None:
    det, obj, _ = relations()
    # From the head, which attends, to its determiner.
    assert det.note == "head → dependent, 74.0% right"
    assert det.highlight == {(3, 2)}
    assert obj.highlight == {(3, 1), (6, 1)}
    assert obj.weights == pytest.approx(0.314)
    assert obj.weights.shape == (8, 8)


def test_subtypes_count_where_labels_are_universal() -> None:
    assert "nmod: head 3-1" in [panel.title for panel in relations()]
    assert "nmod: head 3-1" not in [panel.title for panel in relations(relation_labels="full")]


def test_odd_labels_are_found_by_what_is_shown_of_them() -> None:
    tree = stored(" ".join(["w"] * 9), [2] * 9, " ".join(["a\x1b[31mb"] * 9))
    for name in ("a\x1b[31mb", "a\N{REPLACEMENT CHARACTER}[31mb"):
        assert len(related(Reader([tree]), [hand_made.relation(name, 9)])) == 1


def test_words_are_merged_as_the_table_says() -> None:
    assert relations(merge="first")[1].weights == pytest.approx(0.315)


def test_words_without_a_known_head_are_no_pairs() -> None:
    (_, obj, _) = relations(examples=[2])
    assert obj.highlight == {(6, 1)}


def test_short_examples_first_and_none_that_are_too_short_or_long() -> None:
    for reader, words in (
        (TREES, 16),
        ([filled(7, ", ."), filled(17, ", .")], None),
        ([filled(12, "."), filled(12, ", ."), filled(9, ", ."), filled(9, ", .")], 9),
        ([filled(8), filled(12, ".")], 12),
        ([filled(8)] * 200 + [filled(8, ", .")], None),
    ):
        panels = typical(Reader(reader))
        assert {len(panel.words) for panel in panels} == ({words + 2} if words else set())


def test_examples_can_be_named_whatever_their_length() -> None:
    panels = typical(TREES, examples=[4, 0])
    assert {len(panel.words) for panel in panels} == {19}
    panels = typical(TREES, examples=[1, 0])
    assert {len(panel.words) for panel in panels} == {9}


@pytest.mark.parametrize("number", [-1, 5])
def test_an_example_that_is_not_there(number: int) -> None:
    with pytest.raises(InputError, match=f"no example {number} to show: they count from 0 to 4"):
        relations(examples=[number])


def test_the_most_typical_head_of_each_behaviour_but_other() -> None:
    def row(layer: int, head: int, pattern: str, value: float) -> hand_made.Row:
        return {"layer": layer, "head": head, "pattern": pattern, "value": value}

    patterns = hand_made.table(
        PatternRow,
        [
            row(1, 1, "next", 0.6),
            row(1, 2, "next", 0.6),
            row(2, 1, "next", 0.9),
            row(2, 1, "sep", 0.7),
            row(2, 2, "entropy", 2.5),
            row(3, 1, "entropy", 2.6),
            row(3, 2, "entropy", 2.7),
        ],
    )
    panels = typical(TREES, patterns=patterns)
    assert [(panel.title, panel.note) for panel in panels] == [
        ("next token: head 1-1", "60.0% of attention"),
        ("[SEP]: head 2-1", "70.0% of attention"),
        ("broad: head 3-1", "entropy 2.60 nats"),
    ]
    assert panels[2].weights == pytest.approx(0.314)


def test_nothing_to_show() -> None:
    heads = hand_made_heads.heads(3, 2, ["other"])
    assert typical(TREES, heads) == []
    assert typical(Reader()) == []
    assert related(TREES, []) == []


def test_what_is_chosen_can_be_drawn() -> None:
    assert faults(lambda: attention_lines("maps", "Attention", relations())) == []
