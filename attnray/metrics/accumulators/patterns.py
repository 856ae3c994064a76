"""Patterns, shard by shard: what each head gives to fixed targets, example by example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.base import Heads
from attnray.metrics.groups import Group
from attnray.metrics.kernels import kernels
from attnray.metrics.patterns import PATTERNS
from attnray.metrics.sums import Moments, moments


class PatternSums:
    """The patterns of each example of a shard, then summed over units."""

    def __init__(self, examples: Sequence[Example], heads: Heads) -> None:
        self._examples = examples
        self._values = np.zeros((len(examples), len(PATTERNS), *heads))
        self._pending = Pending()

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""

        def take(values: NDArray[np.float64]) -> None:
            self._values[group.first : group.end, :, layers] = values

        self._pending.put(kernels(maps.device).patterns(maps, group), take)

    def partial(self) -> Moments:
        """See `Accumulator.partial`."""
        self._pending.finish()
        units, unit_of = np.unique([e.unit for e in self._examples], return_inverse=True)
        counts = np.zeros((len(units), *self._values.shape[1:]))
        np.add.at(counts, unit_of, self._values)
        return moments(counts, np.bincount(unit_of).astype(np.int64))

    def cases(self) -> None:
        """See `Accumulator.cases`."""
