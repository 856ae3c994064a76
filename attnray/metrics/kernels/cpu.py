"""What metrics take from attention on a CPU: loops over weights, compiled by numba.

Compiled code is kept beside this file, or in the user's cache where that cannot be written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from attnray.metrics.groups import Group
from attnray.metrics.kernels import MERGES, SUMS
from attnray.model.pieces import TokenRole

CLS, SEP, PUNCTUATION = int(TokenRole.CLS), int(TokenRole.SEP), int(TokenRole.PUNCTUATION)
FIRST, MAX = MERGES["first"], MERGES["max"]
#: Weights of each head taken at a time, so that those of all heads stay in a core's cache.
BLOCK = 1024

Array = NDArray[Any]

LN2 = float(np.log(2))
LN2_32 = np.float32(LN2)
ONE_32, ZERO_32 = np.float32(1), np.float32(0)
SQRT_HALF = np.int32(np.float32(np.sqrt(0.5)).view(np.int32))
#: log16: steps a power of two, the code of 0, and the last one before it.
MINUS_STEPS, TOP_CODE, LAST_CODE = np.float32(-1024), np.uint16(65535), np.float32(65534)
MINUS_INFINITY = np.float32(-np.inf)
#: Stands for a weight of 0: its logarithm is finite, and times a weight of 0 it vanishes.
TINY = np.float32(np.finfo(np.float32).tiny)


def _polynomial(degree: int) -> list[float]:
    """ln(1 + f) / f between sqrt(1/2) - 1 and sqrt(2) - 1, highest power first.

    It is within 1e-8 of the degree 8, and within 1e-13 of the degree 15.
    """
    low, high = np.sqrt(0.5) - 1, np.sqrt(2) - 1
    nodes = np.cos(np.pi * (np.arange(4 * degree) + 0.5) / (4 * degree))
    f = (low + high) / 2 + (high - low) / 2 * nodes
    fit = np.polynomial.Chebyshev.fit(f, np.log1p(f) / f, degree, domain=[low, high])
    return [float(c) for c in fit.convert(kind=np.polynomial.Polynomial).coef[::-1]]


_A = tuple(np.float32(c) for c in _polynomial(8))
_B = tuple(_polynomial(15))

# Written out so that the compiler sees straight code, which it turns into vector instructions.


@njit(inline="always", fastmath=True)
def _log32(x: Any) -> Any:
    """The logarithm of a normal float32 above 0, to float32's precision."""
    i = np.float32(x).view(np.int32)
    e = np.int32(np.int32(i - SQRT_HALF) >> np.int32(23))
    f = np.int32(i - np.int32(e << np.int32(23))).view(np.float32) - ONE_32
    p = ((((_A[0] * f + _A[1]) * f + _A[2]) * f + _A[3]) * f + _A[4]) * f + _A[5]
    p = ((p * f + _A[6]) * f + _A[7]) * f + _A[8]
    return f * p + np.float32(e) * LN2_32


@njit(inline="always", fastmath=True)
def _log64(x: Any) -> Any:
    """The logarithm of a normal float32 above 0, as float64, within 1e-13."""
    i = np.float32(x).view(np.int32)
    e = np.int32(np.int32(i - SQRT_HALF) >> np.int32(23))
    f = np.float64(np.int32(i - np.int32(e << np.int32(23))).view(np.float32)) - 1.0
    p = ((((_B[0] * f + _B[1]) * f + _B[2]) * f + _B[3]) * f + _B[4]) * f + _B[5]
    p = ((((p * f + _B[6]) * f + _B[7]) * f + _B[8]) * f + _B[9]) * f + _B[10]
    p = ((((p * f + _B[11]) * f + _B[12]) * f + _B[13]) * f + _B[14]) * f + _B[15]
    return f * p + np.float64(e) * LN2


def pattern_sums(maps: Tensor, group: Group) -> Tensor:
    """What is added up of each example for its patterns: float64, (example, sum, layer, head).

    Over all queries the weight on the token itself, the previous and the next one, on [CLS], [SEP]
    and punctuation; over [SEP] queries the weight on [SEP]; the entropy over all queries and that
    of [CLS] alone.

    Args:
        maps: float32, (example, layer, head, query, key).
        group: the examples.
    """
    heads = maps.flatten(1, 2).contiguous().numpy()
    out = np.empty((len(heads), SUMS, heads.shape[1]))
    _pattern_sums(heads, group.lengths, group.roles, out)
    return torch.from_numpy(out.reshape(*out.shape[:2], *maps.shape[1:3]))


@njit(nogil=True, fastmath=True, cache=True)
def _entropy(weights: Array) -> float:
    total = 0.0
    for k in range(weights.size):
        x = max(weights[k], TINY)
        total -= np.float64(weights[k]) * _log64(x)
    return total


@njit(nogil=True, cache=True)
def _pattern_sums(maps: Array, lengths: Array, roles: Array, out: Array) -> None:
    for b in range(len(maps)):
        n = lengths[b]
        cls = np.flatnonzero(roles[b, :n] == CLS)
        sep = np.flatnonzero(roles[b, :n] == SEP)
        punctuation = np.flatnonzero(roles[b, :n] == PUNCTUATION)
        flat = np.empty(n * n, maps.dtype)
        for h in range(maps.shape[1]):
            weights = maps[b, h]
            own = previous = following = to_cls = to_sep = to_punctuation = sep_to_sep = 0.0
            for q in range(n):
                own += weights[q, q]
                if q > 0:
                    previous += weights[q, q - 1]
                    following += weights[q - 1, q]
                for k in cls:
                    to_cls += weights[q, k]
                for k in sep:
                    to_sep += weights[q, k]
                for k in punctuation:
                    to_punctuation += weights[q, k]
            for row in sep:
                for k in sep:
                    sep_to_sep += weights[row, k]
            # (Padding must not change the order in which weights are added up.)
            for q in range(n):
                flat[q * n : (q + 1) * n] = weights[q, :n]
            entropy = _entropy(flat)
            from_cls = 0.0
            for row in cls:
                from_cls += _entropy(weights[row, :n])
            out[b, 0, h] = own
            out[b, 1, h] = previous
            out[b, 2, h] = following
            out[b, 3, h] = to_cls
            out[b, 4, h] = to_sep
            out[b, 5, h] = to_punctuation
            out[b, 6, h] = sep_to_sep
            out[b, 7, h] = entropy
            out[b, 8, h] = from_cls


def heads_predicted(
    maps: Tensor, group: Group, ends: Array, word: Array, head: Array, merge: str
) -> Tensor:
    """Whether each case's syntactic head is predicted: bool, (case, layer, head, direction).

    The prediction is the other word with the most attention, ties to the nearest, then to the
    left one; so a case is right when no other word beats its head.

    Args:
        maps: float32, (example, layer, head, query, key).
        group: the examples.
        ends: where the cases of each example begin, and behind them where the last ones end.
        word: the word of each case, from 0.
        head: its syntactic head, from 0.
        merge: mean, first or max: attention from a word of several pieces.
    """
    weights = maps.flatten(1, 2).contiguous().numpy()
    out = np.empty((len(word), weights.shape[1], 2), np.bool_)
    words = (group.starts, group.sizes, group.words)
    _heads_predicted(weights, *words, ends, word, head, MERGES[merge], out)
    return torch.from_numpy(out.reshape(len(word), *maps.shape[1:3], 2))


@njit(nogil=True, cache=True)
def _row(weights: Array, starts: Array, sizes: Array, q: int, row: Array) -> None:
    """What a query gives to each word: the sum over its pieces."""
    for x in range(row.size):
        total = 0.0
        for k in range(starts[x], starts[x] + sizes[x]):
            total += weights[q, k]
        row[x] = total


@njit(nogil=True, cache=True)
def _between_words(
    weights: Array, starts: Array, sizes: Array, merge: int, row: Array, out: Array
) -> None:
    """Attention from each word to each word."""
    for j in range(len(out)):
        merged = out[j]
        merged[:] = 0.0
        for piece in range(sizes[j]):
            if merge == FIRST and piece > 0:
                break
            _row(weights, starts, sizes, starts[j] + piece, row)
            for x in range(row.size):
                merged[x] = max(merged[x], row[x]) if merge == MAX else merged[x] + row[x]
        if merge != FIRST and merge != MAX and sizes[j] > 1:
            for x in range(row.size):
                merged[x] /= sizes[j]


@njit(nogil=True, cache=True)
def _unbeaten(weights: Array, word: int, head: int) -> bool:
    """Whether no other word than a word's head has more of some weights, nor as much and nearer."""
    value, distance = weights[head], abs(head - word)
    for x in range(weights.size):
        if x != word and weights[x] >= value:
            away = abs(x - word)
            if weights[x] > value or away < distance or (away == distance and x < head):
                return False
    return True


@njit(nogil=True, cache=True)
def _heads_predicted(
    maps: Array,
    starts: Array,
    sizes: Array,
    words: Array,
    ends: Array,
    word: Array,
    head: Array,
    merge: int,
    out: Array,
) -> None:
    for b in range(len(maps)):
        if ends[b] == ends[b + 1]:
            continue
        count = words[b]
        between, row = np.empty((count, count)), np.empty(count)
        for h in range(maps.shape[1]):
            own_starts, own_sizes = starts[b, :count], sizes[b, :count]
            _between_words(maps[b, h], own_starts, own_sizes, merge, row, between)
            for case in range(ends[b], ends[b + 1]):
                j, i = word[case], head[case]
                out[case, h, 0] = _unbeaten(between[j], j, i)
                out[case, h, 1] = _unbeaten(between[:, j], j, i)


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
    """Whether each anaphor chooses a right candidate: bool, (anaphor, layer, head).

    Args:
        maps: float32, (example, layer, head, query, key).
        group: the examples.
        example: that of each anaphor, from 0 in the group.
        word: its head word.
        ends: where its candidates begin, and behind them where the last ones end.
        candidates: words, in the order that breaks ties.
        right: whether each is an antecedent.
        merge: mean, first or max: attention from a word of several pieces.
        name: tells these anaphors from others of the group.
    """
    weights = maps.flatten(1, 2).contiguous().numpy()
    out = np.zeros((len(word), weights.shape[1]), np.bool_)
    pieces = (group.starts, group.sizes)
    _antecedents(weights, *pieces, example, word, ends, candidates, right, MERGES[merge], out)
    return torch.from_numpy(out.reshape(len(word), *maps.shape[1:3]))


@njit(nogil=True, cache=True)
def _antecedents(
    maps: Array,
    starts: Array,
    sizes: Array,
    example: Array,
    word: Array,
    ends: Array,
    candidates: Array,
    right: Array,
    merge: int,
    out: Array,
) -> None:
    for anaphor in range(len(word)):
        b, j = example[anaphor], word[anaphor]
        own = candidates[ends[anaphor] : ends[anaphor + 1]]
        starts_of, sizes_of = starts[b][own], sizes[b][own]
        row, merged = np.empty(own.size), np.empty((1, own.size))
        for h in range(maps.shape[1]):
            best, chosen = -1.0, -1
            merged[0, :] = 0.0
            for piece in range(sizes[b, j]):
                if merge == FIRST and piece > 0:
                    break
                _row(maps[b, h], starts_of, sizes_of, starts[b, j] + piece, row)
                for x in range(row.size):
                    if merge == MAX:
                        merged[0, x] = max(merged[0, x], row[x])
                    else:
                        merged[0, x] += row[x]
            for x in range(own.size):
                value = merged[0, x]
                if merge != FIRST and merge != MAX and sizes[b, j] > 1:
                    value /= sizes[b, j]
                if value > best:
                    best, chosen = value, x
            out[anaphor, h] = chosen >= 0 and right[ends[anaphor] + chosen]


def divergence(halves: Tensor) -> Tensor:
    """Jensen-Shannon divergences of all pairs of heads: float64, (head, head), nats.

    JS(p, q) = (sum p ln p + sum q ln q) / 2 - sum m ln m, m the mean of p and q, is exactly 0
    between equals. Logarithms are those of float32, sums are float64.

    Args:
        halves: half of each weight of one or more queries, float32, (head, weight).
    """
    products = np.zeros((len(halves), len(halves)))
    _products(halves.contiguous().numpy(), products)
    products += np.triu(products, 1).T
    own = products.diagonal()
    return torch.from_numpy(np.maximum((own[:, None] + own) / 2 - products, 0))


@njit(nogil=True, fastmath=True, cache=True)
def _pair(one: Array, other: Array) -> float:
    total = ZERO_32
    for k in range(one.size):
        mean = max(one[k] + other[k], TINY)
        total += mean * _log32(mean)
    return np.float64(total)


@njit(nogil=True, cache=True)
def _products(halves: Array, total: Array) -> None:
    """The sums of m ln m over the means of every two heads, in the upper triangle."""
    heads, size = halves.shape
    for start in range(0, size, BLOCK):
        end = min(size, start + BLOCK)
        for one in range(heads):
            for other in range(one, heads):
                total[one, other] += _pair(halves[one, start:end], halves[other, start:end])


def added_up(values: Array, group: Array, count: int) -> Array:
    """The sums over the rows of each group: int64, (group, …).

    Args:
        values: whole numbers or truths, (row, …).
        group: that of each row.
        count: how many groups there are.
    """
    shape = values.shape[1:]
    flat = np.ascontiguousarray(values.reshape(len(values), int(np.prod(shape))))
    out = np.zeros((count, flat.shape[1]), np.int64)
    _add_up(flat.view(np.uint8) if flat.dtype == bool else flat, group, out)
    return out.reshape(count, *shape)


@njit(nogil=True, cache=True)
def _add_up(values: Array, group: Array, out: Array) -> None:
    for row in range(len(values)):
        sums, own = out[group[row]], values[row]
        for column in range(own.size):
            sums[column] += own[column]


def compacted(maps: Tensor, group: Group) -> Tensor:
    """Weights without padding: float32, (head, cell), example after example, row by row.

    Args:
        maps: of one layer, float32, (example, head, query, key).
        group: the examples.
    """
    out = np.empty((maps.shape[1], group.cells), np.float32)
    _compact(maps.contiguous().numpy(), group.lengths, out)
    return torch.from_numpy(out)


@njit(nogil=True, cache=True)
def _compact(maps: Array, lengths: Array, out: Array) -> None:
    for h in range(maps.shape[1]):
        at = 0
        for b in range(len(maps)):
            n = lengths[b]
            for q in range(n):
                out[h, at : at + n] = maps[b, h, q, :n]
                at += n


def log16(maps: Tensor, group: Group) -> Tensor:
    """The same as `compacted`, coded as log16 (see `attnray.store.codecs`): uint16."""
    out = np.empty((maps.shape[1], group.cells), np.uint16)
    _log16(torch.log2(maps.contiguous()).numpy(), group.lengths, out)
    return torch.from_numpy(out)


@njit(nogil=True, cache=True)
def _log16(logarithms: Array, lengths: Array, out: Array) -> None:
    for h in range(logarithms.shape[1]):
        at = 0
        for b in range(len(logarithms)):
            n = lengths[b]
            for q in range(n):
                row, codes = logarithms[b, h, q, :n], out[h, at : at + n]
                for k in range(n):
                    code = np.rint(row[k] * MINUS_STEPS)
                    # (A weight of 0 has a logarithm of minus infinity, and the top code.)
                    finite = np.uint16(min(max(code, ZERO_32), LAST_CODE))
                    codes[k] = TOP_CODE if row[k] == MINUS_INFINITY else finite
                at += n
