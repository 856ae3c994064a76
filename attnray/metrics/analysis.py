"""Analysis: the maps of a shard, wherever they come from, through metrics to what they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from attnray.corpus.example import Example
from attnray.metrics.base import Found, Heads, Metric
from attnray.metrics.groups import Group

if TYPE_CHECKING:
    from torch import Tensor

#: Takes some maps: see `Accumulator.add`.
Add = Callable[[Group, slice, "Tensor"], None]


class Maps(Protocol):
    """A source of the maps of a shard: attention, or gradients with respect to it."""

    @property
    def heads(self) -> Heads:
        """Layers, and heads of each."""

    def feed(self, add: Add) -> None:
        """Hand on every map, in the order that `Accumulator.add` asks for."""


class Analysis:
    """Metrics over a shard: maps are added, and then what was found is asked for."""

    def __init__(
        self, metrics: Sequence[Metric], examples: Sequence[Example], heads: Heads
    ) -> None:
        self._sums = [metric.start(examples, heads) for metric in metrics]

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        for each in self._sums:
            each.add(group, layers, maps)

    def found(self) -> list[Found]:
        """What each metric found, once every map was added."""
        return [Found(each.partial(), each.cases()) for each in self._sums]


def analyse(metrics: Sequence[Metric], examples: Sequence[Example], maps: Maps) -> list[Found]:
    """What metrics find in the examples of a shard, whose maps come in the same order."""
    analysis = Analysis(metrics, examples, maps.heads)
    maps.feed(analysis.add)
    return analysis.found()
