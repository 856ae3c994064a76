"""Coding for `store=compact`: most weights as levels, those that compete in their parts too.

What competes is what decides whom a head chooses: the weights between

- words, where those of a row, of the row before its own word, or of a column come so near to the
  largest that levels do not tell which is the largest;
- head words of mentions, all of them.

Attention between words is merged as for the metrics (by the mean). Loops are compiled by numba
and run on a CPU: from a GPU weights are brought as float32, and coded in the thread that writes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from attnray.metrics.groups import Group
from attnray.store.levels import FIRSTS, LAST, ONE, PARTS, SHIFTS, STARTS, ZERO

Array = NDArray[Any]

#: So many levels below the largest a weight between words still competes: sums of rounded weights
#: are off by about half a level each.
REACH = 1
#: Further down than any level.
NONE = 256
#: The last bits of a weight.
LOW = 2**16 - 1
#: Lines along which weights compete.
ROW, BEFORE, COLUMN = 0, 1, 2


def compact(cells: Array, group: Group) -> NDArray[np.uint16]:
    """The codes of weights without padding (see `attnray.store.levels`).

    Equal weights of a head and an example get equal codes. Others that compete get others, in the
    order of the weights: those that would share a part are put into parts beside it, within their
    level. Where more compete in one level than it has parts, the smallest of them become equal.

    Args:
        cells: float32 between 0 and 1, (…, cell), example after example, row by row.
        group: the examples.
    """
    weights = np.ascontiguousarray(cells).reshape(-1, group.cells)
    codes = np.empty(weights.shape, np.uint16)
    words = (group.starts, group.sizes, group.words, _mentioned(group))
    _encode(weights, weights.view(np.uint32), group.lengths, *words, codes)
    return codes.reshape(cells.shape)


def _mentioned(group: Group) -> NDArray[np.bool]:
    """Whether a word is the head word of a mention: (example, word)."""
    found = np.zeros(group.sizes.shape, bool)
    for row, example in zip(found, group.examples, strict=True):
        row[[mention.head for mention in example.mentions]] = True
    return found


@njit(nogil=True, cache=True)
def _encode(
    weights: Array,
    bits: Array,
    lengths: Array,
    starts: Array,
    sizes: Array,
    words: Array,
    mentioned: Array,
    codes: Array,
) -> None:
    most = words.max()
    levels = np.empty((most, most), np.int16)
    whole = np.empty(lengths.max() ** 2, np.uint32)
    ends_in = np.zeros(LOW + 1, np.bool_)
    for map_ in range(len(weights)):
        at = 0
        for example in range(len(lengths)):
            n, m = lengths[example], words[example]
            own = slice(at, at + n * n)
            first, size = starts[example, :m], sizes[example, :m]
            merged = levels[:m, :m]
            _merge(weights[map_, own].reshape(n, n), first, size, merged)
            competing = _competing(merged, size, mentioned[example, :m])
            count = _take(bits[map_, own].reshape(n, n), competing, first, size, whole)
            _write(bits[map_, own], np.sort(whole[:count]), codes[map_, own], ends_in)
            at += n * n


@njit(inline="always")
def _part(bits: Any) -> Any:
    """The code of the part that is nearest to a weight, by its bits."""
    if bits == 0:
        return ZERO
    distance = max(ONE - np.int64(bits), 0)
    piece = 0
    while piece + 1 < len(STARTS) and distance >= STARTS[piece + 1]:
        piece += 1
    half = (1 << SHIFTS[piece]) >> 1
    return min(FIRSTS[piece] + ((distance - STARTS[piece] + half) >> SHIFTS[piece]), LAST)


@njit(inline="always")
def _level(code: Any) -> Any:
    """The level that is nearest to a code."""
    return (code + PARTS // 2) // PARTS


@njit(nogil=True, cache=True)
def _merge(weights: Array, first: Array, size: Array, levels: Array) -> None:
    """The levels of the attention between words, by their first pieces and numbers of pieces."""
    for j in range(len(first)):
        for i in range(len(first)):
            total = 0.0
            for q in range(first[j], first[j] + size[j]):
                for k in range(first[i], first[i] + size[i]):
                    total += weights[q, k]
            mean = np.float32(total / max(size[j], 1))
            levels[j, i] = _level(_part(mean.view(np.uint32)))


@njit(nogil=True, cache=True)
def _competing(levels: Array, size: Array, mentioned: Array) -> Array:
    """Which pairs of words compete, by the levels between them."""
    m = len(levels)
    reach = np.full((3, m), NONE)
    rivals = np.zeros((3, m), np.int64)
    for j in range(m):
        for i in range(m):
            if i != j and size[i] and size[j]:
                reach[ROW, j] = min(reach[ROW, j], levels[j, i] + REACH)
                reach[COLUMN, i] = min(reach[COLUMN, i], levels[j, i] + REACH)
                if i < j:
                    reach[BEFORE, j] = min(reach[BEFORE, j], levels[j, i] + REACH)
    for j in range(m):
        for i in range(m):
            if i != j and size[i] and size[j]:
                rivals[ROW, j] += levels[j, i] <= reach[ROW, j]
                rivals[COLUMN, i] += levels[j, i] <= reach[COLUMN, i]
                rivals[BEFORE, j] += i < j and levels[j, i] <= reach[BEFORE, j]
    found = np.zeros((m, m), np.bool_)
    for j in range(m):
        for i in range(m):
            if i != j:
                level = levels[j, i]
                found[j, i] = (
                    (mentioned[j] and mentioned[i])
                    or (rivals[ROW, j] > 1 and level <= reach[ROW, j])
                    or (rivals[COLUMN, i] > 1 and level <= reach[COLUMN, i])
                    or (i < j and rivals[BEFORE, j] > 1 and level <= reach[BEFORE, j])
                )
    return found


@njit(nogil=True, cache=True)
def _take(bits: Array, competing: Array, first: Array, size: Array, whole: Array) -> int:
    """Put the weights between competing words into `whole`, and give their number."""
    count = 0
    for j in range(len(first)):
        for i in range(len(first)):
            if competing[j, i]:
                for q in range(first[j], first[j] + size[j]):
                    for k in range(first[i], first[i] + size[i]):
                        whole[count] = bits[q, k]
                        count += 1
    return count


@njit(nogil=True, cache=True)
def _write(bits: Array, whole: Array, codes: Array, ends_in: Array) -> None:
    """Write the codes of a map, of which some weights, in ascending order, are kept whole.

    `ends_in` is False everywhere, and is used to pass over weights that end in other bits.
    """
    distinct, parts, ends = _parts(whole)
    for kept in distinct:
        ends_in[kept & LOW] = True
    for cell in range(len(bits)):
        level = _level(_part(bits[cell]))
        codes[cell] = level * PARTS
        if ends_in[bits[cell] & LOW]:
            for place in range(ends[level], ends[level + 1]):
                if distinct[place] == bits[cell]:
                    codes[cell] = parts[place]
    for kept in distinct:
        ends_in[kept & LOW] = False


@njit(nogil=True, cache=True)
def _parts(whole: Array) -> tuple[Array, Array, Array]:
    """The weights kept whole, each once, the largest first; their codes; where levels end."""
    distinct = np.empty(len(whole), np.uint32)
    parts = np.empty(len(whole), np.int64)
    ends = np.zeros(NONE + 1, np.int64)
    count = 0
    for bits in whole[::-1]:
        if count == 0 or bits != distinct[count - 1]:
            distinct[count], parts[count] = bits, _part(bits)
            ends[_level(parts[count]) + 1] = count + 1
            count += 1
    for level in range(NONE):
        ends[level + 1] = max(ends[level + 1], ends[level])
        _spread(parts[ends[level] : ends[level + 1]], level)
    return distinct[:count], parts, ends


@njit(nogil=True, cache=True)
def _spread(parts: Array, level: int) -> None:
    """Make the codes of a level, in ascending order, differ: as little as they must, within it."""
    before = max(level * PARTS - PARTS // 2, 0) - 1
    last = level * PARTS + PARTS // 2 - 1
    for place in range(len(parts)):
        room = last - (len(parts) - 1 - place)
        before = min(max(min(parts[place], room), before + 1), last)
        parts[place] = before
