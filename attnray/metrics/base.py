"""What a metric is: create, add, merge, extract."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.sums import Partial


class Accumulator(Protocol):
    """Gathers one shard."""

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """Take in some examples of equal length at some layers.

        Args:
            first: the position in the shard of the first of them; the others follow.
            layers: the layers they are of, from 0.
            attention: float64 weights on any device, (example, layer, head, query, key).
        """

    def partial(self) -> Partial:
        """The sums of the shard, once every example and layer has been added."""


@dataclass(frozen=True)
class UnitCounts:
    """What every head got right in the units of a shard.

    `units` and `folds` have an entry a unit, `correct` is (unit, candidate), `totals` (unit,).
    Candidates are in the order that breaks ties (contract: Best head).
    """

    units: NDArray[np.int64]
    folds: NDArray[np.int64]
    correct: NDArray[np.int64]
    totals: NDArray[np.int64]


class Predictions(Accumulator, Protocol):
    """An accumulator of heads as predictors."""

    def by_unit(self) -> dict[str, UnitCounts]:
        """The counts of each row of its table of best heads."""


class Measured(Protocol):
    """What gives shards their partials."""

    name: str

    @property
    def parameters(self) -> dict[str, object]:
        """What decides a partial's bytes beside the attention; `version` rises with the code."""


class Metric(Measured, Protocol):
    """A metric: its partials are merged by `merge`, and `tables` are made of the sum."""

    table_names: tuple[str, ...]

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The metric's tables by name, without the columns model and corpus."""


class ShardMetric(Measured, Protocol):
    """What a shard's stored attention is analysed by."""

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> Accumulator:
        """An accumulator for the examples of a shard and (layers, heads)."""


class AttentionMetric(ShardMetric, Metric, Protocol):
    """A metric of stored attention."""


def merge(partials: Iterable[Partial]) -> Partial:
    """Add partials up by a tree in the order given: the same bits every time.

    Holds no more than one partial per level of the tree.
    """
    levels: list[tuple[int, Partial]] = []
    for partial in partials:
        levels.append((1, partial))
        while len(levels) > 1 and levels[-1][0] == levels[-2][0]:
            _fold(levels)
    while len(levels) > 1:
        _fold(levels)
    return levels[0][1]


def _fold(levels: list[tuple[int, Partial]]) -> None:
    """Replace the last two of a list of (number of shards, sum) by their sum."""
    (right_size, right), (left_size, left) = levels.pop(), levels.pop()
    total = {**left, **right}
    total |= {name: np.asarray(left[name] + right[name]) for name in left.keys() & right.keys()}
    levels.append((left_size + right_size, total))


def under(partial: Partial, name: str) -> Partial:
    """The arrays whose names begin with `name/`, without it."""
    prefix = f"{name}/"
    return {k.removeprefix(prefix): v for k, v in partial.items() if k.startswith(prefix)}


def named(name: str, partial: Partial) -> Partial:
    """The arrays with `name/` before their names."""
    return {f"{name}/{key}": value for key, value in partial.items()}


def nullable(values: NDArray[np.float64]) -> pa.Array:
    """A column in which NaN is null."""
    return pa.array(values, mask=np.isnan(values))


def grid(shape: Sequence[int]) -> list[NDArray[np.int64]]:
    """The index of each axis for every cell of an array, flattened."""
    return [axis.ravel() for axis in np.indices(tuple(shape))]
