"""Patterns, shard by shard: what each head gives to fixed targets, example by example."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.base import Heads
from attnray.metrics.groups import Group
from attnray.metrics.kernels import SUMS, kernels
from attnray.metrics.patterns import PATTERNS
from attnray.metrics.sums import Moments, moments
from attnray.model.pieces import TokenRole


class PatternSums:
    """What the patterns of each example of a shard are made of, then their sums over units."""

    def __init__(self, examples: Sequence[Example], heads: Heads) -> None:
        self._examples = examples
        self._sums = np.zeros((len(examples), SUMS, *heads))
        self._pending = Pending()

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""

        def take(sums: NDArray[np.float64]) -> None:
            self._sums[group.first : group.end, :, layers] = sums

        self._pending.put(kernels(maps.device).pattern_sums(maps, group), take)

    def partial(self) -> Moments:
        """See `Accumulator.partial`."""
        self._pending.finish()
        units, unit_of = np.unique([e.unit for e in self._examples], return_inverse=True)
        counts = np.zeros((len(units), len(PATTERNS), *self._sums.shape[2:]))
        np.add.at(counts, unit_of, self._values())
        return moments(counts, np.bincount(unit_of).astype(np.int64))

    def cases(self) -> None:
        """See `Accumulator.cases`."""

    def _values(self) -> NDArray[np.float64]:
        """The patterns of each example, in the order of `PATTERNS`: means over queries."""
        sums = self._sums.swapaxes(0, 1)
        own, previous, following, cls, sep, punctuation, both, entropy, of_cls = sums
        queries = self._count(lambda example: example.length)
        seps = self._count(lambda example: int((example.roles == TokenRole.SEP).sum()))
        clss = self._count(lambda example: int((example.roles == TokenRole.CLS).sum()))
        to_all = [own, previous, following, cls, sep, punctuation]
        return np.stack(
            [
                *(each / queries for each in to_all),
                both / np.maximum(1, seps),
                (sep - both) / np.maximum(1, queries - seps),
                entropy / queries,
                of_cls / np.maximum(1, clss),
            ],
            axis=1,
        )

    def _count(self, of: Callable[[Example], int]) -> NDArray[np.int64]:
        return np.array([of(example) for example in self._examples], np.int64)[:, None, None]
