"""Analysis: the maps of a shard, wherever they come from, through metrics to what they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from attnray.corpus.example import Example
from attnray.metrics.base import Found, Heads, Metric

if TYPE_CHECKING:
    from torch import Tensor

#: Takes some maps: see `Accumulator.add`.
Add = Callable[[int, slice, "Tensor"], None]


class Maps(Protocol):
    """A source of the maps of a shard: attention, or gradients with respect to it."""

    @property
    def heads(self) -> Heads:
        """Layers, and heads of each."""

    def feed(self, add: Add) -> None:
        """Hand on every map, in the order that `Accumulator.add` asks for."""


def analyse(metrics: Sequence[Metric], examples: Sequence[Example], maps: Maps) -> list[Found]:
    """What metrics find in the examples of a shard, whose maps come in the same order."""
    sums = [metric.start(examples, maps.heads) for metric in metrics]

    def add(first: int, layers: slice, group: Tensor) -> None:
        for each in sums:
            each.add(first, layers, group)

    maps.feed(add)
    return [Found(each.partial(), each.cases()) for each in sums]
