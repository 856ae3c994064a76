"""Random documents, cut by a tokenizer of letters, and random maps of them with many ties."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import ne
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.corpus.document import Document, Mention, Sentence
from attnray.corpus.example import Example
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.metrics.analysis import Add, analyse
from attnray.metrics.base import Found, Metric
from attnray.metrics.groups import Group
from attnray.model.pieces import Layout, TokenRole
from tests.builders.segmented import examples_of
from tests.builders.trees import merged

LAYERS, HEADS = 2, 2
#: So many examples come to metrics at once.
TOGETHER = 3
RELATIONS = ["nsubj", "nsubj:pass", "obj", "punct", "det"]
FORMS = ["she", "She", "it", "Rex", "dog", "the", "they", "his", "you", "I"]
FEATS = ["", "", "Number=Sing", "Number=Plur|Person=3", "Gender=Fem,Masc", "Case=Nom|Gender=Neut"]
UPOS = ["PRON", "PRON", "PROPN", "NOUN", ""]
XPOS = ["PRP$", "NNP", "NN", ""]
MERGES = st.sampled_from(["mean", "first", "max"])

Attended = tuple[Example, NDArray[np.float64]]


class LetterPieces:
    """A tokenizer of one piece a letter; `z` is dropped, so a word can have none."""

    single = Layout(before=[1], between=[], after=[2], types=(0, 0))
    pair = Layout(before=[1], between=[2], after=[2], types=(0, 1))

    def split(self, words: list[str]) -> list[list[int]]:
        return [[ord(letter) for letter in word if letter != "z"] for word in words]

    def roles(self, pieces: NDArray[np.integer], special: NDArray[np.bool]) -> NDArray[np.int8]:
        of_special = np.where(pieces == 1, TokenRole.CLS, TokenRole.SEP)
        marks = np.isin(pieces, [ord("."), ord(",")])
        of_words = np.where(marks, TokenRole.PUNCTUATION, TokenRole.ORDINARY)
        return np.where(special, of_special, of_words).astype(np.int8)

    def spelled(self, pieces: NDArray[np.integer]) -> pa.Array:
        return pa.array([chr(piece) for piece in pieces])


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    count = draw(st.integers(1, 6))
    words = draw(st.lists(st.text("abz.", min_size=1, max_size=3), min_size=count, max_size=count))
    heads = [draw(st.integers(-1, count).filter(partial(ne, w + 1))) for w in range(count)]
    relations = [draw(st.sampled_from(RELATIONS)) for _ in words]
    return Sentence("", words, [""] * count, [""] * count, heads, relations, [""] * count)


@st.composite
def texts(draw: st.DrawFn) -> list[Document]:
    return [
        Document(f"d{number}", draw(st.lists(sentences(), min_size=1, max_size=3)), [])
        for number in range(draw(st.integers(1, 8)))
    ]


@st.composite
def coreferent(draw: st.DrawFn) -> Document:
    count = draw(st.integers(2, 9))
    words = [draw(st.sampled_from(FORMS)) for _ in range(count)]
    trees = draw(st.booleans())
    heads = [
        draw(st.integers(0, count).filter(partial(ne, w + 1))) if trees else -1
        for w in range(count)
    ]
    sentence = Sentence(
        "",
        words,
        [draw(st.sampled_from(UPOS)) for _ in words],
        [draw(st.sampled_from(XPOS)) for _ in words],
        heads,
        ["dep"] * count,
        [draw(st.sampled_from(FEATS)) for _ in words],
    )
    bounds = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).map(sorted)
    spans = draw(st.lists(st.tuples(bounds, st.sampled_from("AB")), max_size=6))
    return Document("", [sentence], sorted(Mention(a, b, entity) for (a, b), entity in spans))


def attended(examples: Sequence[Example], seed: int) -> list[Attended]:
    """Random maps from few values, so that many are equal; rows need not sum to 1."""
    random = np.random.default_rng(seed)
    values = np.array([0, 1 / 64, 1 / 8, 1 / 8 + 2**-24, 1 / 4, 1 / 3], np.float32)
    return [
        (e, random.choice(values, (LAYERS, HEADS, e.length, e.length)).astype(np.float64))
        for e in examples
    ]


def total(metric: Metric, shards: list[list[Attended]]) -> Any:
    """The partial of a metric over shards."""
    return merged(found_in(metric, shard).partial for shard in shards if shard)


def found_in(metric: Metric, shard: list[Attended]) -> Found:
    """What a metric finds in a shard, its examples by length."""
    ordered = sorted(shard, key=lambda each: each[0].length)
    (found,) = analyse([metric], [example for example, _ in ordered], GivenMaps(ordered))
    return found


class GivenMaps:
    """Maps that are given, some examples and a layer at a time; padding has heavy weights."""

    heads = (LAYERS, HEADS)

    def __init__(self, shard: Sequence[Attended]) -> None:
        self._shard = shard

    def feed(self, add: Add) -> None:
        """See `attnray.metrics.analysis.Maps.feed`."""
        for first in range(0, len(self._shard), TOGETHER):
            some = self._shard[first : first + TOGETHER]
            group = Group(first, [example for example, _ in some])
            maps = padded([attention for _, attention in some])
            for layer in range(LAYERS):
                add(group, slice(layer, layer + 1), maps[:, layer : layer + 1])


def tokens(lengths: Sequence[int]) -> Group:
    """A group of examples of which only the length counts."""
    return Group(0, [of_tokens(length, number) for number, length in enumerate(lengths)])


def of_tokens(length: int, number: int, unit: int = 0) -> Example:
    """An example of which only the length, the number and the unit count."""
    marks, ids = np.zeros(length, np.int8), np.zeros(length, np.int32)
    nothing: list[Any] = []
    where = (number, "", "", unit, 0, 0)
    return Example(*where, ids, [], marks, marks, ids, [], [], [], nothing)


def padded(maps: Sequence[NDArray[np.float64]]) -> torch.Tensor:
    """Maps (…, query, key) of some examples in one tensor, float32; 9 stands in the padding."""
    longest = max(each.shape[-1] for each in maps)
    whole = np.full((len(maps), *maps[0].shape[:-2], longest, longest), 9, np.float32)
    for row, each in zip(whole, maps, strict=True):
        row[..., : each.shape[-2], : each.shape[-1]] = each
    return torch.from_numpy(whole)


def by_document(examples: list[Attended], shards: int) -> list[list[Attended]]:
    return [[each for each in examples if each[0].unit % shards == s] for s in range(shards)]


def segmented(documents: list[Document], kind: str) -> list[Example]:
    segmenter = Segmenter(kind, LetterPieces(), 512, 512, Units(blocks=False), 0)  # type: ignore[arg-type]
    return examples_of(segmenter, *documents)
