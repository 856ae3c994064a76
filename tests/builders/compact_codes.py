"""The codes of `store=compact`, slowly and by the book: what its kernel is compared with."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from attnray.corpus.example import Example

#: Octaves below 1 at which pieces of the table begin, their levels an octave, their first level.
PIECES = [(0, 64, 0), (0.5, 64 / 4, 32), (11, 4, 200), (16, 1, 220), (25, 1 / 4, 229)]
ZERO, LAST = 255 * 256, 255 * 256 - 129

#: From which weight on (down to 2**-126) one is off by at most how much, relatively: half a level
#: and half a part.
BOUNDS = [(0.75, 0.006), (2.0**-11, 0.032), (2.0**-16, 0.13), (2.0**-25, 0.51), (0, 3.1)]

Pair = tuple[int, int]


def off(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float64]:
    """By how much weights are off, as a multiple of what a weight alone may be."""
    edges, bounds = zip(*BOUNDS, strict=True)
    exact = before.astype(np.float64)
    apart = np.maximum(after / exact - 1, exact / after - 1)
    return np.asarray(apart / np.select([before >= edge for edge in edges], bounds))


def octaves(weight: float) -> float:
    """How many octaves a weight is below 1, linear within each: 0.75 is half an octave below."""
    if weight < 2.0**-126:  # float32 has no exponents below
        return 127 - weight * 2.0**126
    mantissa, exponent = math.frexp(weight)
    return 2 - 2 * mantissa - exponent


def part(weight: float) -> int:
    """The code that is nearest to a weight; of two the one of the smaller weight."""
    if weight == 0:
        return ZERO
    below = max(octaves(weight), 0)
    start, levels, first = max(piece for piece in PIECES if piece[0] <= below)
    return min(256 * first + math.floor((below - start) * levels * 256 + 0.5), LAST)


def level(code: int) -> int:
    """The level that a code is rounded to."""
    return (code + 128) // 256


def weight_of(code: int) -> float:
    """The weight that a code stands for."""
    if code > LAST:
        return 0
    start, levels, first = max(piece for piece in PIECES if 256 * piece[2] <= code)
    below = start + (code - 256 * first) / levels / 256
    whole = math.floor(below)
    if whole == 126:
        return (127 - below) * 2.0**-126
    return 2.0**-whole * (1 - (below - whole) / 2)


def codes(example: Example, attention: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The codes of one head's map (query, key)."""
    kept = whole(example, attention)
    found = [kept.get(w, 256 * level(part(w))) for w in attention.ravel().tolist()]
    return np.array(found, np.uint16).reshape(attention.shape)


def whole(example: Example, attention: NDArray[np.float32]) -> dict[float, int]:
    """The weights of a map that are kept whole, with their codes."""
    pieces = pieces_of_words(example)
    weights = {
        float(attention[q, k])
        for j, i in competing(example, attention)
        for q in pieces[j]
        for k in pieces[i]
    }
    crowds: dict[int, list[float]] = defaultdict(list)
    for weight in sorted(weights, reverse=True):
        crowds[level(part(weight))].append(weight)
    return {
        weight: code
        for place, crowd in crowds.items()
        for weight, code in zip(crowd, side_by_side(place, crowd), strict=True)
    }


def side_by_side(place: int, crowd: list[float]) -> Iterable[int]:
    """Codes of one level for weights, the largest first: others for each, while there are any."""
    code = max(256 * place - 128, 0) - 1
    for after, weight in zip(range(len(crowd) - 1, -1, -1), crowd, strict=True):
        last = 256 * place + 127
        code = min(max(min(part(weight), last - after), code + 1), last)
        yield code


def competing(example: Example, attention: NDArray[np.float32]) -> set[Pair]:
    """The pairs of words (from, to) between which weights are kept whole."""
    pieces = pieces_of_words(example)
    words = [word for word in range(len(pieces)) if pieces[word]]
    pairs = [(j, i) for j in words for i in words if i != j]
    levels = {pair: level(part(between(attention, pieces, *pair))) for pair in pairs}
    lines = [
        *([pair for pair in pairs if pair[0] == word] for word in words),
        *([pair for pair in pairs if pair[0] == word and pair[1] < word] for word in words),
        *([pair for pair in pairs if pair[1] == word] for word in words),
    ]
    heads = {mention.head for mention in example.mentions}
    found = {(j, i) for j, i in pairs if j in heads and i in heads}
    for line in lines:
        top = min((levels[pair] for pair in line), default=0)
        near = {pair for pair in line if levels[pair] <= top + 1}
        if len(near) > 1:
            found |= near
    return found


def between(attention: NDArray[np.float32], pieces: list[list[int]], j: int, i: int) -> float:
    """Attention from a word to a word: the mean over the pieces of the one of sums."""
    total = sum(float(attention[q, k]) for q in pieces[j] for k in pieces[i])
    return float(np.float32(total / len(pieces[j])))


def pieces_of_words(example: Example) -> list[list[int]]:
    owner = example.word_of_piece.tolist()
    return [[p for p, own in enumerate(owner) if own == w] for w in range(len(example.words))]
