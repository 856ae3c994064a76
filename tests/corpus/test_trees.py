"""Heads that are no tree, against a walk up from each word."""

from __future__ import annotations

from functools import partial
from operator import ne

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from attnray.corpus.trees import oddities


def goes_round(heads: list[int], word: int) -> bool:
    """Whether the way up from a word (from 1) has no end."""
    seen = set()
    while word > 0:
        if word in seen:
            return True
        seen.add(word)
        word = heads[word - 1]
    return False


@st.composite
def sentences(draw: st.DrawFn) -> list[int]:
    size = draw(st.integers(0, 9))
    heads = st.integers(draw(st.integers(-1, 1)), size)
    return [draw(heads.filter(partial(ne, word))) for word in range(1, size + 1)]


@given(corpus=st.lists(sentences().filter(lambda heads: 1 not in heads or len(heads) > 1)))
def test_circles_and_roots_are_counted(corpus: list[list[int]]) -> None:
    whole = [heads for heads in corpus if heads and -1 not in heads]
    assert oddities(pa.array(corpus, pa.list_(pa.int32()))) == {
        "sentences_with_circles": sum(
            any(goes_round(heads, word) for word in heads) for heads in corpus
        ),
        "sentences_with_several_roots": sum(heads.count(0) > 1 for heads in whole),
        "sentences_without_root": sum(0 not in heads for heads in whole),
    }


def test_a_long_way_up_is_no_circle() -> None:
    chain = [*range(2, 70_000), 0]
    found = oddities(pa.array([[0], chain, [*chain[:-1], 5]], pa.list_(pa.int32())))
    assert found["sentences_with_circles"] == found["sentences_without_root"] == 1
