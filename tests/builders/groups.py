"""Random groups of examples with maps, as the kernels of metrics take them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from attnray.corpus.document import Document, Sentence
from attnray.metrics.groups import Group
from tests.builders.random_maps import padded, segmented

LAYERS, HEADS = 2, 3
#: Few values, so that many are equal.
TIED = np.array([0, 0, 2**-64, 1 / 64, 1 / 8, 1 / 8 + 2**-24, 1 / 3, 1], np.float32)

Numbers = NDArray[np.int64]


def drawn(seed: int, tied: bool, examples: int = 3, words: int = 30) -> tuple[Group, torch.Tensor]:
    """A group of examples of words of some pieces or none, and maps of them with heavy padding.

    Args:
        seed: of everything that is drawn.
        tied: weights of few values, rows that need not sum to 1; else peaked distributions.
        examples: how many.
        words: at most so many in each.
    """
    chooser = np.random.default_rng(seed)
    documents = [Document(f"d{n}", [_sentence(chooser, words)], []) for n in range(examples)]
    found = segmented(documents, "sentence")
    maps = []
    for example in found:
        shape = (LAYERS, HEADS, example.length, example.length)
        if tied:
            maps.append(chooser.choice(TIED, shape).astype(np.float64))
        else:
            maps.append(chooser.dirichlet(np.full(example.length, 0.1), shape[:3]))
    return Group(0, found), padded(maps)


def _sentence(chooser: np.random.Generator, most: int) -> Sentence:
    """Words of one to three letters, of which `z` is no piece; heads are other words, or none."""
    count = int(chooser.integers(1, most + 1))
    words = ["".join(chooser.choice([*"abz."], chooser.integers(1, 4))) for _ in range(count)]
    heads = [int(head) for head in chooser.integers(0, count + 1, count)]
    heads = [0 if head == word + 1 else head for word, head in enumerate(heads)]
    nothing = [""] * count
    return Sentence("", words, nothing, nothing, heads, ["dep"] * count, nothing)


def syntax_cases(group: Group) -> tuple[Numbers, Numbers, Numbers]:
    """Where the cases of each example begin, and the word and the head of each, from 0."""
    each = [[(w, h - 1) for w, h in enumerate(e.heads) if h > 0] for e in group.examples]
    found = np.array([case for own in each for case in own], np.int64).reshape(-1, 2)
    return _ends([len(own) for own in each]), found[:, 0], found[:, 1]


def anaphors(
    group: Group, seed: int
) -> tuple[Numbers, Numbers, Numbers, Numbers, NDArray[np.bool]]:
    """The last word of each example, with all before it to choose from; the first has nothing.

    Gives the example, the word, where the candidates of each begin, these, and which are right.
    """
    asked = [(n, w) for n, e in enumerate(group.examples) for w in (len(e.words) - 1, 0)]
    candidates = [list(range(word - 1, -1, -1)) for _, word in asked]
    flat = np.array([word for own in candidates for word in own], np.int64)
    right = np.random.default_rng(seed).random(len(flat)) < 0.5
    example, word = np.array(asked, np.int64).T
    return example, word, _ends([len(own) for own in candidates]), flat, right


def _ends(counts: list[int]) -> Numbers:
    return np.concatenate([[0], np.cumsum(np.array(counts, np.int64))])
