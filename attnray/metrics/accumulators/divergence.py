"""Divergence, shard by shard: sums over query tokens for every two heads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.base import Heads
from attnray.metrics.divergence import DivergencePartial

#: Weights of all heads taken at a time, so that they and their logarithms stay in a core's cache.
BLOCK_WEIGHTS = 1 << 17

#: Stands for a weight of 0: its logarithm is finite, and beside any other weight it vanishes.
TINY = float(np.finfo(np.float64).tiny)


class DivergenceSums:
    """Sums over the query tokens of a shard, for every two heads.

    Pairs cross layers, so a group of examples is held until its last layer has come.
    """

    def __init__(self, examples: Sequence[Example], heads: Heads) -> None:
        self._tokens = sum(example.length for example in examples)
        self._heads = heads
        self._halves = torch.empty(0)
        self._products = torch.zeros([heads[0] * heads[1]] * 2, dtype=torch.float64)

    def add(self, first: int, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        weights = maps.flatten(3).movedim(0, 2)
        if layers.start == 0:
            self._halves = weights.new_empty(*self._heads, *weights.shape[2:])
        torch.mul(weights, 0.5, out=self._halves[layers]).clamp_min_(TINY)
        if layers.stop == self._heads[0]:
            self._products = self._products.to(weights.device)
            add_products(self._products, self._halves.flatten(0, 1))
            self._halves = torch.empty(0)

    def partial(self) -> DivergencePartial:
        """See `Accumulator.partial`."""
        upper = self._products.cpu().numpy()
        products = upper + np.triu(upper, 1).T
        own = products.diagonal()
        sums = np.maximum((own[:, None] + own) / 2 - products, 0)
        return DivergencePartial(sums.reshape(self._heads * 2), np.asarray(self._tokens))

    def cases(self) -> None:
        """See `Accumulator.cases`."""


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
