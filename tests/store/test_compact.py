"""`store=compact`: the kernel is its slow twin, and keeps what it says it keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.corpus.document import Document, Mention, Sentence
from attnray.corpus.example import Example
from attnray.metrics.groups import Group
from attnray.store.codecs import CODECS
from tests.builders import compact_codes, oracle
from tests.builders.compact_codes import BOUNDS, off
from tests.builders.random_maps import coreferent, padded, segmented, texts, tokens

COMPACT = CODECS["compact"]
HEADS = 3

weights = st.floats(2.0**-126, 1, width=32)
examples_of_documents = st.one_of(
    texts().map(lambda documents: segmented(documents, "sentence")),
    st.lists(coreferent(), min_size=1, max_size=4).map(lambda them: segmented(them, "document")),
)


def maps_of(examples: list[Example], seed: int, kind: str) -> list[NDArray[np.float32]]:
    """Maps (head, query, key) that rows sum to 1 in, that have few values, or tiny ones."""
    return [each.astype(np.float32) for each in _maps_of(examples, seed, kind)]


def _maps_of(examples: list[Example], seed: int, kind: str) -> list[NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    shapes = [(HEADS, example.length, example.length) for example in examples]
    if kind == "softmax":
        logits = [random.normal(0, 3, shape) for shape in shapes]
        return [np.exp(x) / np.exp(x).sum(-1, keepdims=True) for x in logits]
    if kind == "ties":
        values = np.array([0, 2.0**-149, 2.0**-30, 1 / 9, 1 / 8, 1 / 8 + 2**-24, 1])
        return [random.choice(values, shape) for shape in shapes]
    return [np.exp2(random.uniform(-150, 0, shape)) for shape in shapes]


def coded(examples: list[Example], maps: list[NDArray[np.float32]]) -> list[NDArray[np.uint16]]:
    """The codes of maps (head, query, key), by way of one padded tensor."""
    group = Group(0, examples)
    cells = COMPACT.codes(padded([each.astype(np.float64) for each in maps]), group)
    parts = np.split(cells, group.offsets[1:], axis=1)
    return [part.reshape(each.shape) for part, each in zip(parts, maps, strict=True)]


kinds = st.sampled_from(["softmax", "ties", "tiny"])


@given(examples_of_documents, st.integers(0, 2**32), kinds)
def test_the_codes_are_those_of_the_slow_way(examples: list[Example], seed: int, kind: str) -> None:
    maps = maps_of(examples, seed, kind)
    for example, found, given_ in zip(examples, coded(examples, maps), maps, strict=True):
        expected = [compact_codes.codes(example, attention) for attention in given_]
        np.testing.assert_array_equal(found, expected)


def test_the_weights_of_codes_are_those_of_the_slow_way() -> None:
    values = COMPACT.decode(np.arange(65536).astype(np.uint16))
    expected = np.array([compact_codes.weight_of(code) for code in range(65536)], np.float32)
    np.testing.assert_array_equal(values, expected)
    assert (np.diff(values[: compact_codes.LAST + 1]) < 0).all()
    assert (values[compact_codes.LAST] > 0, values[-1]) == (True, 0)


def of_words(count: int, mentions: Sequence[Mention] = ()) -> Example:
    """An example of so many words, each of one piece."""
    words, none = ["a"] * count, [""] * count
    sentence = Sentence("", words, none, none, [-1] * count, none, none)
    (example,) = segmented([Document("", [sentence], list(mentions))], "document")
    return example


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 2**32), kinds)
def test_who_is_chosen_stays_chosen(counts: list[int], seed: int, kind: str) -> None:
    """Among the words of one piece: from each, among those before it, and to each."""
    examples = [of_words(count) for count in counts]
    maps = maps_of(examples, seed, kind)
    words = slice(1, -1)
    for count, found, attention in zip(counts, coded(examples, maps), maps, strict=True):
        for own, codes in zip(attention, found, strict=True):
            before, after = own[words, words], COMPACT.decode(codes)[words, words]
            for word in range(count):
                others = [other for other in range(count) if other != word]
                for among, ours, theirs in (
                    (others, before[word], after[word]),
                    (others[:word], before[word], after[word]),
                    (others, before[:, word], after[:, word]),
                ):
                    expected = oracle.most_attended(among, ours.tolist(), word)
                    assert oracle.most_attended(among, theirs.tolist(), word) == expected


@given(examples_of_documents, st.integers(0, 2**32), kinds)
def test_equal_weights_of_a_map_stay_equal(examples: list[Example], seed: int, kind: str) -> None:
    maps = maps_of(examples, seed, kind)
    for found, attention in zip(coded(examples, maps), maps, strict=True):
        for codes, own in zip(found, attention, strict=True):
            pairs = set(zip(own.ravel().tolist(), codes.ravel().tolist(), strict=True))
            assert len(pairs) == len(np.unique(own))


@given(st.lists(coreferent(), min_size=1, max_size=4), st.integers(0, 2**32), kinds)
def test_the_order_between_heads_of_mentions_is_kept(
    documents: list[Document], seed: int, kind: str
) -> None:
    examples = segmented(documents, "document")
    maps = maps_of(examples, seed, kind)
    for example, found, attention in zip(examples, coded(examples, maps), maps, strict=True):
        words = {mention.head for mention in example.mentions}
        here = np.isin(example.word_of_piece, list(words))
        apart = example.word_of_piece[:, None] != example.word_of_piece
        between = here[:, None] & here & apart
        for codes, own in zip(found, attention, strict=True):
            order = np.argsort(-own[between], kind="stable")
            steps = np.diff(codes[between][order].astype(int))
            assert ((steps > 0) == (np.diff(own[between][order]) < 0)).all()
            assert (steps >= 0).all()


@pytest.mark.parametrize("count", [16, 17, 25])
def test_a_crowded_level_never_turns_an_order(count: int) -> None:
    """16 x 15 weights fit into a level; of more, only the smallest become equal."""
    example = of_words(count, [Mention(word, word, "A") for word in range(count)])
    n, between = example.length, slice(1, -1)
    attention = np.zeros((1, n, n), np.float32)
    different = np.float32(0.2) + np.arange(count * count, dtype=np.float32) * 2**-24
    attention[0, between, between] = different.reshape(count, count)
    (found,) = coded([example], [attention])
    codes = found[0, between, between][~np.eye(count, dtype=bool)].astype(int)
    assert {*((codes + 128) // 256)} == {compact_codes.level(compact_codes.part(0.2))}
    assert (np.diff(codes) <= 0).all()
    assert len(np.unique(codes)) == min(256, count * (count - 1))
    assert (np.diff(codes[-200:]) < 0).all()


@given(weights)
def test_a_weight_is_off_by_at_most_half_a_level(weight: float) -> None:
    given_ = np.array([weight], np.float32)
    codes = COMPACT.codes(torch.from_numpy(given_)[:, None, None, None], tokens([1]))[0]
    assert codes[0] % 256 == 0
    assert off(given_, COMPACT.decode(codes)).max() <= 1


def test_the_bound_is_reached_over_the_whole_range() -> None:
    exponents = np.random.default_rng(0).uniform(-126, 0, (300, 600))
    exponents[100:] /= 3
    exponents[200:] /= 50
    values = np.exp2(exponents).astype(np.float32)
    maps = torch.from_numpy(values.reshape(2, 1, 300, 300))
    codes = COMPACT.codes(maps, tokens([300, 300])).reshape(values.shape)
    found = off(values, COMPACT.decode(codes))
    above = 2.0
    for edge, _ in BOUNDS:
        assert 0.8 < found[(values >= edge) & (values < above)].max() <= 1
        above = edge


@given(examples_of_documents, st.integers(0, 2**32))
def test_a_weight_kept_whole_is_off_by_less_than_a_level(
    examples: list[Example], seed: int
) -> None:
    maps = maps_of(examples, seed, "softmax")
    for found, attention in zip(coded(examples, maps), maps, strict=True):
        assert off(attention, COMPACT.decode(found)).max() <= 2
