"""How unlike each other heads attend (section 6 of the paper; contract: Divergence)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.base import grid, nullable
from attnray.metrics.rows import table_of
from attnray.metrics.sums import Partial, ratio

#: Weights of all heads taken at a time, so that they and their logarithms stay in a core's cache.
BLOCK_WEIGHTS = 1 << 17

#: Stands for a weight of 0: its logarithm is finite, and beside any other weight it vanishes.
TINY = float(np.finfo(np.float64).tiny)

#: Sums of the same divergences in another order differ by less than this share.
ROUNDING = 1e-12


@dataclass(frozen=True)
class DivergenceRow:
    """A row of `divergence`: how unlike two heads attend, in nats; every ordered pair has one."""

    layer_a: int
    head_a: int
    layer_b: int
    head_b: int
    js_divergence: float | None


@dataclass(frozen=True)
class ClosenessRow:
    """The row of `layer_closeness`: mean divergences of heads within and between layers."""

    within: float | None
    between: float | None
    difference: float | None
    p_value: float | None
    permutations: int


class Divergence:
    """Jensen-Shannon divergence in nats between every two heads, and how close layers are.

    Args:
        permutations: how many relabellings the test of `layer_closeness` draws.
        seed: of those draws.
    """

    name = "divergence"
    table_names: tuple[str, ...] = ("divergence", "layer_closeness")

    def __init__(self, permutations: int, seed: int) -> None:
        self._permutations = permutations
        self._seed = seed

    @property
    def parameters(self) -> dict[str, object]:
        """Nothing that can be set decides a partial."""
        return {"version": 1}

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> DivergenceSums:
        """An accumulator for the examples of a shard and (layers, heads)."""
        return DivergenceSums(examples, heads)

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The tables `divergence` and `layer_closeness`."""
        divergences = ratio(total)
        layer_a, head_a, layer_b, head_b = grid(divergences.shape)
        pairs = {
            "layer_a": layer_a + 1,
            "head_a": head_a + 1,
            "layer_b": layer_b + 1,
            "head_b": head_b + 1,
            "js_divergence": nullable(divergences.ravel()),
        }
        row = layer_closeness(divergences, self._permutations, self._seed)
        return {
            "divergence": pa.table(pairs),
            "layer_closeness": table_of(ClosenessRow, [row]),
        }


class DivergenceSums:
    """Sums over the query tokens of a shard, for every two heads.

    Pairs cross layers, so a group of examples is held until its last layer has come.
    """

    def __init__(self, examples: Sequence[Example], heads: tuple[int, int]) -> None:
        self._tokens = sum(example.length for example in examples)
        self._heads = heads
        self._halves = torch.empty(0)
        self._products = torch.zeros([heads[0] * heads[1]] * 2, dtype=torch.float64)

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """See `Accumulator.add`; a group's layers come in order, all before the next group."""
        weights = attention.flatten(3).movedim(0, 2)
        if layers.start == 0:
            self._halves = weights.new_empty(*self._heads, *weights.shape[2:])
        torch.mul(weights, 0.5, out=self._halves[layers]).clamp_min_(TINY)
        if layers.stop == self._heads[0]:
            self._products = self._products.to(weights.device)
            add_products(self._products, self._halves.flatten(0, 1))
            self._halves = torch.empty(0)

    def partial(self) -> Partial:
        """See `Accumulator.partial`: `c`, (layer, head, layer, head), over `t` tokens."""
        upper = self._products.cpu().numpy()
        products = upper + np.triu(upper, 1).T
        own = products.diagonal()
        sums = np.maximum((own[:, None] + own) / 2 - products, 0)
        return {"c": sums.reshape(self._heads * 2), "t": np.asarray(self._tokens)}


def add_products(total: Tensor, halves: Tensor) -> None:
    """Add, for every two heads, the sum of m ln m over the mean m of their two weights.

    A head with itself gives the sum of p ln p, so that
    JS(p, q) = (sum p ln p + sum q ln q) / 2 - sum m ln m is exactly 0 between equals.
    Examples are added one by one in order: their grouping changes no bit.

    Args:
        total: (head, head), of which the upper triangle is added to.
        halves: half of each weight, above 0, (head, example, weight).
    """
    size = max(1, BLOCK_WEIGHTS // len(halves))
    together = max(1, size // halves.shape[2])
    for examples in halves.split(together, dim=1):
        for block in examples.split(size, dim=2):
            _add_block(total, block)


def _add_block(total: Tensor, block: Tensor) -> None:
    for head, halves in enumerate(block):
        mean = block[head:] + halves
        by_example = mean.log().mul_(mean).sum(-1)
        by_example[:, 0] += total[head, head:]
        total[head, head:] = by_example.cumsum(1)[:, -1]


def layer_closeness(
    divergences: NDArray[np.float64], permutations: int, seed: int
) -> dict[str, object]:
    """Whether heads of one layer are more alike than heads of different layers.

    The test deals the layers' labels out to the heads anew; `p_value` is the share of such
    relabellings, the true one counted in, with as large a difference or larger. A mean of no
    pair is None, and so is what rests on it.

    Args:
        divergences: symmetric, 0 on the diagonal, (layer, head, layer, head).
        permutations: how many relabellings to draw.
        seed: of the draws.
    """
    layers, heads = divergences.shape[:2]
    flat = divergences.reshape(layers * heads, -1)
    label = np.repeat(np.arange(layers), heads)
    same = label[:, None] == label
    within = _mean(flat[same].sum() / 2, layers * comb(heads, 2))
    between = _mean(flat[~same].sum() / 2, comb(layers, 2) * heads**2)
    difference = p_value = None
    if within is not None and between is not None:
        difference = between - within
        p_value = _p_value(flat, (layers, heads), permutations, seed)
    return {
        "within": within,
        "between": between,
        "difference": difference,
        "p_value": p_value,
        "permutations": permutations,
    }


def _mean(total: np.float64, pairs: int) -> float | None:
    return float(total) / pairs if pairs else None


def _p_value(
    divergences: NDArray[np.float64], shape: tuple[int, int], permutations: int, seed: int
) -> float:
    """All divergences together stay the same, so a larger difference is a smaller sum within."""
    random = np.random.default_rng(seed)
    count = len(divergences)
    most = _sum_within(divergences, np.arange(count).reshape(shape)) * (1 + ROUNDING)
    orders = (random.permutation(count).reshape(shape) for _ in range(permutations))
    extreme = sum(bool(_sum_within(divergences, order) <= most) for order in orders)
    return (1 + extreme) / (1 + permutations)


def _sum_within(divergences: NDArray[np.float64], order: NDArray[np.int64]) -> np.float64:
    """The sum over ordered pairs of heads in the same row of `order`, (layer, head)."""
    return np.float64(divergences[order[:, :, None], order[:, None, :]].sum())
