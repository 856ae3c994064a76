"""What metrics take from attention on a GPU: one pass over the weights, compiled by Triton.

The functions are those of `attnray.metrics.kernels.cpu`; what they say of their arguments holds
here too. Rows are taken in tiles, and what tiles give is added up in order: no sum depends on
which of them ends first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl
from numpy.typing import NDArray
from torch import Tensor

from attnray.metrics.groups import Group
from attnray.metrics.kernels import MERGES, SUMS
from attnray.model.pieces import TokenRole

Array = NDArray[Any]

#: Rows of a tile.
ROWS = 16
#: Heads of a tile of pairs, and weights of each taken at a time.
PAIRS, WIDTH = 8, 32
#: Into so many parts the weights of a pair of heads are cut.
PARTS = 64

_CLS: tl.constexpr = tl.constexpr(int(TokenRole.CLS))
_SEP: tl.constexpr = tl.constexpr(int(TokenRole.SEP))
_PUNCTUATION: tl.constexpr = tl.constexpr(int(TokenRole.PUNCTUATION))
_FIRST: tl.constexpr = tl.constexpr(MERGES["first"])
_MAX: tl.constexpr = tl.constexpr(MERGES["max"])


def pattern_sums(maps: Tensor, group: Group) -> Tensor:
    """See `cpu.pattern_sums`."""
    weights = maps.flatten(1, 2).contiguous()
    examples, heads, length = weights.shape[:3]
    tiles = triton.cdiv(length, ROWS)
    parts = torch.empty(examples, SUMS, heads, tiles, dtype=torch.float64, device=maps.device)
    _pattern_sums[(examples * heads, tiles)](
        weights,
        group.on(maps.device, "roles"),
        group.on(maps.device, "lengths"),
        parts,
        heads,
        length,
        WIDTH=triton.next_power_of_2(length),
        ROWS=ROWS,
        SUMS=SUMS,
    )
    return parts.sum(-1).reshape(examples, SUMS, *maps.shape[1:3])


@triton.jit
def _pattern_sums(
    weights,
    roles,
    lengths,
    parts,
    heads,
    length,
    WIDTH: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
    SUMS: tl.constexpr,  # noqa: N803
):
    map_, tile = tl.program_id(0), tl.program_id(1)
    example = map_ // heads
    n = tl.load(lengths + example)
    k = tl.arange(0, WIDTH)
    role = tl.load(roles + example * length + k, mask=k < n, other=0)
    own = tl.zeros((), tl.float64)
    before = tl.zeros((), tl.float64)
    after = tl.zeros((), tl.float64)
    cls = tl.zeros((), tl.float64)
    sep = tl.zeros((), tl.float64)
    punctuation = tl.zeros((), tl.float64)
    sep_to_sep = tl.zeros((), tl.float64)
    entropy = tl.zeros((), tl.float64)
    from_cls = tl.zeros((), tl.float64)
    for row in range(ROWS):
        q = tile * ROWS + row
        place = weights + (map_.to(tl.int64) * length + q) * length
        w = tl.load(place + k, mask=(k < n) & (q < n), other=0.0)
        role_of_q = tl.load(roles + example * length + q, mask=q < n, other=0)
        own += tl.sum(tl.where(k == q, w, 0.0), 0)
        before += tl.sum(tl.where(k == q - 1, w, 0.0), 0)
        after += tl.sum(tl.where(k == q + 1, w, 0.0), 0)
        cls += tl.sum(tl.where(role == _CLS, w, 0.0), 0)
        to_sep = tl.sum(tl.where(role == _SEP, w, 0.0), 0)
        sep += to_sep
        sep_to_sep += tl.where(role_of_q == _SEP, to_sep, 0.0)
        punctuation += tl.sum(tl.where(role == _PUNCTUATION, w, 0.0), 0)
        # (0 ln 0 is 0; what is no number stays none.)
        spread = -tl.sum(tl.where(w == 0, 0.0, w * tl.log(tl.where(w == 0, 1.0, w))), 0)
        entropy += spread
        from_cls += tl.where(role_of_q == _CLS, spread, 0.0)
    step = heads * tl.num_programs(1)
    first = (example * SUMS * heads + map_ % heads) * tl.num_programs(1) + tile
    tl.store(parts + first, own)
    tl.store(parts + first + step, before)
    tl.store(parts + first + 2 * step, after)
    tl.store(parts + first + 3 * step, cls)
    tl.store(parts + first + 4 * step, sep)
    tl.store(parts + first + 5 * step, punctuation)
    tl.store(parts + first + 6 * step, sep_to_sep)
    tl.store(parts + first + 7 * step, entropy)
    tl.store(parts + first + 8 * step, from_cls)


def heads_predicted(
    maps: Tensor, group: Group, ends: Array, word: Array, head: Array, merge: str
) -> Tensor:
    """See `cpu.heads_predicted`."""
    weights = maps.flatten(1, 2).contiguous()
    examples, heads, length = weights.shape[:3]
    starts, sizes = group.on(maps.device, "starts"), group.on(maps.device, "sizes")
    most = starts.shape[1]
    tiles, width = triton.cdiv(most, ROWS), triton.next_power_of_2(most)
    ranks = torch.empty(examples, heads, most, dtype=torch.int32, device=maps.device)
    value = torch.empty(examples, heads, most, tiles, dtype=torch.float64, device=maps.device)
    rank = torch.empty(examples, heads, most, tiles, dtype=torch.int32, device=maps.device)
    _between_words[(examples * heads, tiles)](
        weights,
        starts,
        sizes,
        group.on(maps.device, "words"),
        ranks,
        value,
        rank,
        heads,
        length,
        most,
        WIDTH=width,
        ROWS=ROWS,
        MERGE=MERGES[merge],
    )

    def cases() -> list[Array]:
        wanted = 2 * abs(head - word) + (head > word)
        return [np.repeat(np.arange(examples), np.diff(ends)), word, wanted]

    out = torch.empty(len(word), heads, 2, dtype=torch.uint8, device=maps.device)
    _decide[(len(word), heads)](
        *group.brought(maps.device, "cases of syntax", cases),
        ranks,
        value,
        rank,
        out,
        heads,
        most,
        tiles,
        TILES=triton.next_power_of_2(tiles),
        LAST=2 * width,
    )
    return out.view(torch.bool).reshape(len(word), *maps.shape[1:3], 2)


@triton.jit
def _decide(
    examples,
    words,
    wanted,
    ranks,
    value,
    rank,
    out,
    heads,
    most,
    tiles,
    TILES: tl.constexpr,  # noqa: N803
    LAST: tl.constexpr,  # noqa: N803
):
    """Whether the word of a wanted rank is attended to most, and attends most: of all tiles."""
    case, head = tl.program_id(0), tl.program_id(1)
    place = (tl.load(examples + case) * heads + head) * most + tl.load(words + case)
    right = tl.load(wanted + case)
    tile = tl.arange(0, TILES)
    there = tile < tiles
    top = tl.load(value + place * tiles + tile, mask=there, other=-2.0)
    nearest = tl.load(rank + place * tiles + tile, mask=there, other=LAST)
    column = tl.min(tl.where(top == tl.max(top, 0), nearest, LAST), 0)
    at = out + (case * heads + head) * 2
    tl.store(at, (tl.load(ranks + place) == right).to(tl.uint8))
    tl.store(at + 1, (column == right).to(tl.uint8))


@triton.jit
def _attended(
    weights,
    first_piece,
    pieces,
    first,
    size,
    length,
    WIDTH: tl.constexpr,  # noqa: N803
    MERGE: tl.constexpr,  # noqa: N803
):
    """What a word, by its pieces, gives to each of some words, by theirs: float64, (word,)."""
    merged = tl.zeros((WIDTH,), tl.float64)
    most = tl.max(size, 0)
    used = pieces
    if MERGE == _FIRST:
        used = tl.minimum(pieces, 1)
    piece = 0
    while piece < used:
        row = weights + (first_piece + piece) * length + first
        total = tl.zeros((WIDTH,), tl.float64)
        i = 0
        while i < most:
            total += tl.load(row + i, mask=i < size, other=0.0)
            i += 1
        if MERGE == _MAX:
            merged = tl.maximum(merged, total)
        else:
            merged += total
        piece += 1
    if (MERGE != _FIRST) and (MERGE != _MAX):
        merged = merged / tl.maximum(pieces, 1).to(tl.float64)
    return merged


@triton.jit
def _between_words(
    weights,
    starts,
    sizes,
    words,
    ranks,
    value,
    rank,
    heads,
    length,
    most,
    WIDTH: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
    MERGE: tl.constexpr,  # noqa: N803
):
    """Whom each word attends to most, and, of a tile of words, who attends most to each word.

    A word is told by its rank among the others: twice the distance, and 1 more to the right.
    """
    map_, tile = tl.program_id(0), tl.program_id(1)
    example = map_ // heads
    count = tl.load(words + example)
    x = tl.arange(0, WIDTH)
    first = tl.load(starts + example * most + x, mask=x < count, other=0)
    size = tl.load(sizes + example * most + x, mask=x < count, other=0)
    own = weights + map_.to(tl.int64) * length * length
    top = tl.full((WIDTH,), -1.0, tl.float64)
    nearest = tl.full((WIDTH,), 2 * WIDTH, tl.int32)
    for row in range(ROWS):
        j = tile * ROWS + row
        if j < count:
            first_piece = tl.load(starts + example * most + j)
            pieces = tl.load(sizes + example * most + j)
            merged = _attended(own, first_piece, pieces, first, size, length, WIDTH, MERGE)
            other = (x < count) & (x != j)
            distance = 2 * tl.abs(x - j)
            among = tl.where(other, merged, -1.0)
            best = other & (among == tl.max(among, 0))
            place = tl.where(best, distance + (x > j).to(tl.int32), 2 * WIDTH)
            tl.store(ranks + map_ * most + j, tl.min(place, 0))
            back = distance + (j > x).to(tl.int32)
            better = other & ((merged > top) | ((merged == top) & (back < nearest)))
            nearest = tl.where(better, back, nearest)
            top = tl.where(better, merged, top)
    at = (map_ * most + x) * tl.num_programs(1) + tile
    tl.store(value + at, top, mask=x < most)
    tl.store(rank + at, nearest, mask=x < most)


def antecedents_chosen(
    maps: Tensor,
    group: Group,
    example: Array,
    word: Array,
    ends: Array,
    candidates: Array,
    right: Array,
    merge: str,
    name: str,
) -> Tensor:
    """See `cpu.antecedents_chosen`."""
    weights = maps.flatten(1, 2).contiguous()
    heads, length = weights.shape[1:3]
    starts, sizes = group.on(maps.device, "starts"), group.on(maps.device, "sizes")
    given = [example, word, ends, candidates, right.astype(np.uint8)]
    lists = group.brought(maps.device, name, lambda: given)
    out = torch.zeros(len(word), heads, dtype=torch.uint8, device=maps.device)
    longest = max(1, int((ends[1:] - ends[:-1]).max(initial=0)))
    _antecedents[(len(word), heads)](
        weights,
        starts,
        sizes,
        *lists,
        out,
        heads,
        length,
        starts.shape[1],
        WIDTH=triton.next_power_of_2(longest),
        MERGE=MERGES[merge],
    )
    return out.view(torch.bool).reshape(len(word), *maps.shape[1:3])


@triton.jit
def _antecedents(
    weights,
    starts,
    sizes,
    examples,
    words,
    ends,
    candidates,
    right,
    out,
    heads,
    length,
    most,
    WIDTH: tl.constexpr,  # noqa: N803
    MERGE: tl.constexpr,  # noqa: N803
):
    anaphor, head = tl.program_id(0), tl.program_id(1)
    example, word = tl.load(examples + anaphor), tl.load(words + anaphor)
    begin, end = tl.load(ends + anaphor), tl.load(ends + anaphor + 1)
    place = tl.arange(0, WIDTH)
    there = begin + place < end
    candidate = tl.load(candidates + begin + place, mask=there, other=0)
    first = tl.load(starts + example * most + candidate, mask=there, other=0)
    size = tl.load(sizes + example * most + candidate, mask=there, other=0)
    own = weights + (example * heads + head) * length * length
    first_piece = tl.load(starts + example * most + word)
    pieces = tl.load(sizes + example * most + word)
    merged = _attended(own, first_piece, pieces, first, size, length, WIDTH, MERGE)
    among = tl.where(there, merged, -1.0)
    chosen = tl.min(tl.where(there & (among == tl.max(among, 0)), place, WIDTH), 0)
    found = tl.load(right + begin + chosen, mask=chosen < WIDTH, other=0)
    tl.store(out + anaphor * heads + head, found)


def divergence(halves: Tensor) -> Tensor:
    """See `cpu.divergence`."""
    halves = halves.contiguous()
    heads, size = halves.shape
    tiles = triton.cdiv(heads, PAIRS)
    parts = halves.new_zeros(PARTS, heads, heads, dtype=torch.float64)
    _products[(tiles, tiles, PARTS)](
        halves, parts, heads, size, triton.cdiv(size, PARTS), WIDTH=WIDTH, PAIRS=PAIRS
    )
    upper = parts.sum(0).triu()
    products = upper + upper.triu(1).T
    own = products.diagonal()
    return ((own[:, None] + own) / 2 - products).clamp(min=0)


@triton.jit
def _products(
    halves,
    parts,
    heads,
    size,
    part,
    WIDTH: tl.constexpr,  # noqa: N803
    PAIRS: tl.constexpr,  # noqa: N803
):
    """The sums of m ln m over the means of a tile of pairs of heads, in a part of their weights."""
    row, column, number = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    if column >= row:
        one = row * PAIRS + tl.arange(0, PAIRS)
        other = column * PAIRS + tl.arange(0, PAIRS)
        total = tl.zeros((PAIRS, PAIRS), tl.float64)
        at, end = number * part, tl.minimum((number + 1) * part, size)
        while at < end:
            k = at + tl.arange(0, WIDTH)
            inside = (k < end)[None, :]
            places = one[:, None].to(tl.int64) * size + k[None, :]
            ours = tl.load(halves + places, mask=(one < heads)[:, None] & inside, other=0.0)
            places = other[:, None].to(tl.int64) * size + k[None, :]
            theirs = tl.load(halves + places, mask=(other < heads)[:, None] & inside, other=0.0)
            mean = ours[:, None, :] + theirs[None, :, :]
            total += tl.sum(
                tl.where(mean == 0, 0.0, mean * tl.log(tl.where(mean == 0, 1.0, mean))), 2
            )
            at += WIDTH
        places = (number * heads + one[:, None]) * heads + other[None, :]
        tl.store(parts + places, total, mask=(one < heads)[:, None] & (other < heads)[None, :])


def compacted(maps: Tensor, group: Group) -> Tensor:
    """See `cpu.compacted`."""
    return _compacted(maps, group, torch.float32)


def log16(maps: Tensor, group: Group) -> Tensor:
    """See `cpu.log16`."""
    return _compacted(maps, group, torch.uint16)


def _compacted(maps: Tensor, group: Group, dtype: torch.dtype) -> Tensor:
    examples, heads, length = maps.shape[:3]
    out = torch.empty(heads, group.cells, dtype=dtype, device=maps.device)
    lengths, offsets = group.on(maps.device, "lengths"), group.on(maps.device, "offsets")
    _compact[(examples * heads * length,)](
        maps.contiguous(),
        lengths,
        offsets,
        out,
        heads,
        length,
        group.cells,
        WIDTH=triton.next_power_of_2(length),
        CODED=dtype == torch.uint16,
    )
    return out


@triton.jit
def _compact(
    weights,
    lengths,
    offsets,
    out,
    heads,
    length,
    cells,
    WIDTH: tl.constexpr,  # noqa: N803
    CODED: tl.constexpr,  # noqa: N803
):
    row = tl.program_id(0)
    q, map_ = row % length, row // length
    example, head = map_ // heads, map_ % heads
    n = tl.load(lengths + example)
    if q < n:
        k = tl.arange(0, WIDTH)
        w = tl.load(weights + row.to(tl.int64) * length + k, mask=k < n, other=1.0)
        at = out + head.to(tl.int64) * cells + tl.load(offsets + example) + q * n + k
        if CODED:
            # (Half of a step is rounded up here, to the even code on a CPU.)
            code = tl.floor(0.5 - 1024.0 * tl.log2(w))
            code = tl.minimum(tl.maximum(code, 0.0), 65534.0)
            coded = tl.where(w > 0, code, 65535.0).to(tl.int32).to(tl.uint16)
            tl.store(at, coded, mask=k < n)
        else:
            tl.store(at, w, mask=k < n)
