"""Divergence, shard by shard: sums over query tokens for every two heads, by unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.base import Heads
from attnray.metrics.divergence import Divergence, DivergencePartial
from attnray.metrics.groups import Group
from attnray.metrics.kernels import kernels
from attnray.metrics.sums import moments


class DivergenceSums:
    """Sums over the query tokens of the sampled examples of a shard, for every two heads.

    Pairs cross layers, so the sampled examples of a group are held until its last layer has come.
    """

    def __init__(self, metric: Divergence, examples: Sequence[Example], heads: Heads) -> None:
        self._metric = metric
        self._heads = heads
        chosen = [example for example in examples if metric.takes(example.index)]
        self._count = len(chosen)
        units, unit_of = np.unique([e.unit for e in chosen], return_inverse=True)
        self._unit = {e.index: int(unit) for e, unit in zip(chosen, unit_of, strict=True)}
        lengths = np.array([example.length for example in chosen], np.int64)
        self._tokens = np.bincount(unit_of, lengths, len(units)).astype(np.int64)
        self._sums = np.zeros((len(units), *[heads[0] * heads[1]] * 2))
        self._halves: dict[int, Tensor] = {}
        self._pending = Pending()

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        last = layers.stop == self._heads[0]
        for place, example in enumerate(group.examples):
            if example.index in self._unit:
                n = example.length
                if layers.start == 0:
                    self._halves[example.index] = maps.new_empty(*self._heads, n, n)
                halves = self._halves[example.index]
                torch.mul(maps[place, ..., :n, :n], 0.5, out=halves[layers])
                if last:
                    self._take(example, self._halves.pop(example.index))

    def _take(self, example: Example, halves: Tensor) -> None:
        unit = self._unit[example.index]

        def take(divergences: NDArray[np.float64]) -> None:
            self._sums[unit] += divergences

        weights = halves.flatten(2).flatten(0, 1)
        self._pending.put(kernels(halves.device).divergence(weights), take)

    def partial(self) -> DivergencePartial:
        """See `Accumulator.partial`."""
        self._pending.finish()
        sums = self._sums.reshape(-1, *self._heads, *self._heads)
        return DivergencePartial(moments(sums, self._tokens), np.asarray(self._count))

    def cases(self) -> None:
        """See `Accumulator.cases`."""
