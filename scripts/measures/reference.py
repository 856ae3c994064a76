"""What a notebook does: sentence by sentence and head by head, in plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnray.corpus.example import Example

Array = NDArray[Any]


def between_words(weights: Array, pieces: Sequence[Array]) -> Array:
    """One head's attention between words: (word, word).

    Args:
        weights: (query, key).
        pieces: those of each word.
    """
    to_words = np.stack([weights[:, own].sum(1) for own in pieces], 1)
    return np.stack([to_words[own].sum(0) / max(1, len(own)) for own in pieces])


def merged(examples: Sequence[Example], maps: Sequence[Array]) -> dict[str, Array]:
    """Attention between words, by the place of the example: (layer, head, word, word)."""
    found: dict[str, Array] = {}
    for place, (example, attention) in enumerate(zip(examples, maps, strict=True)):
        pieces = pieces_of(example)
        words = [[between_words(head, pieces) for head in layer] for layer in attention]
        found[str(place)] = np.array(words)
    return found


def syntax(examples: Sequence[Example], maps: Sequence[Array]) -> dict[str, Array]:
    """How often each head is right, by relation: (layer, head, direction)."""
    right: dict[str, Array] = {}
    for example, attention in zip(examples, maps, strict=True):
        pieces, cases = pieces_of(example), _cases(example)
        for _, _, relation, _ in cases:
            right.setdefault(relation, np.zeros((*attention.shape[:2], 2), int))
        for layer, heads in enumerate(attention):
            for head, weights in enumerate(heads):
                words = between_words(weights, pieces)
                for word, governor, relation, others in cases:
                    found = right[relation]
                    found[layer, head, 0] += others[np.argmax(words[word, others])] == governor
                    found[layer, head, 1] += others[np.argmax(words[others, word])] == governor
    return right


def _cases(example: Example) -> list[tuple[int, int, str, Array]]:
    """Word, syntactic head, relation, and all other words: of equals the first one is taken."""
    words = range(len(example.words))
    found = []
    for word in words:
        relation = example.relations[word].partition(":")[0]
        if example.heads[word] > 0 and relation:
            others = sorted({*words} - {word}, key=lambda x: (abs(x - word), x))
            found.append((word, example.heads[word] - 1, relation, np.array(others)))
    return found


def divergence(examples: Sequence[Example], maps: Sequence[Array]) -> dict[str, Array]:
    """The mean Jensen-Shannon divergence over queries of every two heads: (head, head), nats."""
    heads = maps[0].shape[0] * maps[0].shape[1]
    total, queries = np.zeros((heads, heads)), 0
    for attention in maps:
        flat = attention.reshape(heads, *attention.shape[2:])
        for one, p in enumerate(flat):
            mean = (p + flat) / 2
            both = _relative(p, mean) + _relative(flat, mean)
            total[one] += both.sum((1, 2)) / 2
        queries += attention.shape[2]
    return {"mean": total / queries}


def pieces_of(example: Example) -> list[Array]:
    """The places of each word's pieces."""
    owner = example.word_of_piece
    return [np.flatnonzero(owner == word) for word in range(len(example.words))]


def _relative(p: Array, mean: Array) -> Array:
    """p ln(p / mean), 0 where p is."""
    whole = np.broadcast_to(p, mean.shape)
    shares = np.divide(whole, mean, out=np.ones_like(mean), where=whole > 0)
    return np.asarray(whole * np.log(shares))
