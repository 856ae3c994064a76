"""A metric of one's own, shard by shard: example by example, once all its layers are here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.errors import InputError, describe
from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.base import Heads
from attnray.metrics.groups import Group
from attnray.metrics.own import HeadMetric, OwnPartial, line_of
from attnray.metrics.sums import moments


class OwnSums:
    """What a metric of one's own gives for each example of a shard, then its sums over units."""

    def __init__(self, metric: HeadMetric, examples: Sequence[Example], heads: Heads) -> None:
        self._metric = metric
        self._examples = examples
        self._heads = heads
        self._values = np.zeros((len(examples), *heads))
        self._counts = np.zeros(len(examples))
        #: The attention of each example of the group that is being gathered.
        self._gathered: list[NDArray[np.float32]] = []
        self._pending = Pending()

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`.

        Raises:
            InputError: the metric failed, or gave no value of each head.
        """
        if layers.start == 0:
            sizes = group.lengths.tolist()
            self._gathered = [np.empty((*self._heads, n, n), np.float32) for n in sizes]

        def take(found: NDArray[np.float32]) -> None:
            for own, padded in zip(self._gathered, found, strict=True):
                n = own.shape[-1]
                own[layers] = padded[..., :n, :n]

        self._pending.put(maps, take)
        if layers.stop == self._heads[0]:
            self._pending.finish()
            for place, attention in enumerate(self._gathered, group.first):
                self._measure(place, attention)
            self._gathered = []

    def partial(self) -> OwnPartial:
        """See `Accumulator.partial`."""
        units, unit_of = np.unique([e.unit for e in self._examples], return_inverse=True)
        values, counts = np.zeros((len(units), *self._heads)), np.zeros(len(units))
        np.add.at(values, unit_of, self._values * self._counts[:, None, None])
        np.add.at(counts, unit_of, self._counts)
        return OwnPartial(moments(values, counts), np.asarray((self._counts > 0).sum()))

    def cases(self) -> None:
        """See `Accumulator.cases`."""

    def _measure(self, place: int, attention: NDArray[np.float32]) -> None:
        example = self._examples[place]
        try:
            found = self._metric.measure(example, attention)
            values, count = found if isinstance(found, tuple) else (found, 1)
            values, count = np.asarray(values, np.float64), float(count)
        except MemoryError:
            raise
        except Exception as error:
            raise self._refusal(place, f"{describe(error)}{line_of(error)}") from error
        if values.shape != self._heads:
            expected = f"(layer, head), which is {self._heads}"
            raise self._refusal(place, f"values have the shape {values.shape}, not {expected}")
        if not (np.isfinite(count) and count >= 0):
            raise self._refusal(place, f"it counts {count}, which must be 0 or more")
        if count and not np.isfinite(values).all():
            layer, head = np.argwhere(~np.isfinite(values))[0] + 1
            raise self._refusal(place, f"the value of head {layer}-{head} is no number")
        self._values[place] = values if count else 0
        self._counts[place] = count

    def _refusal(self, place: int, what: str) -> InputError:
        example, metric = self._examples[place], type(self._metric)
        where = f"example {example.index} (document {example.document})"
        return InputError(f"{metric.said or metric.__qualname__}, {where}: {what}")
