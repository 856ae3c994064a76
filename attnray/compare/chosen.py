"""The heads that were chosen on the other folds, as a metric: what they get right, by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from torch import Tensor

from attnray.compare.items import itemised
from attnray.corpus.example import Example
from attnray.metrics.base import Predictions, ShardMetric
from attnray.metrics.sums import Partial


class ChosenHeads:
    """What the heads that a metric's best choices are made of get right, item by item.

    Args:
        metric: one of heads as predictors.
        chosen: by row of its table of best heads, the head of each fold, as a candidate of
            `UnitCounts`.
    """

    def __init__(self, metric: ShardMetric, chosen: Mapping[str, Sequence[int]]) -> None:
        self._metric = metric
        self._chosen = {row: list(heads) for row, heads in chosen.items()}
        self.name = f"heldout-{metric.name}"

    @property
    def parameters(self) -> dict[str, object]:
        """What decides a partial's bytes beside the attention."""
        return {"version": 1, "of": self._metric.parameters, "chosen": self._chosen}

    @property
    def alike(self) -> dict[str, bool]:
        """Whether every fold has the same head, by row."""
        return {row: len(set(heads)) == 1 for row, heads in self._chosen.items()}

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> ChosenSums:
        """An accumulator for the examples of a shard and (layers, heads)."""
        alone, unit_of = itemised(examples)
        predictions = cast(Predictions, self._metric.start(alone, heads))
        return ChosenSums(predictions, unit_of, self._chosen)


class ChosenSums:
    """Right and all cases of each item of a shard, by row."""

    def __init__(
        self,
        predictions: Predictions,
        unit_of: Mapping[int, int],
        chosen: Mapping[str, Sequence[int]],
    ) -> None:
        self._predictions = predictions
        self._unit_of = unit_of
        self._chosen = chosen

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """See `Accumulator.add`."""
        self._predictions.add(first, layers, attention)

    def partial(self) -> Partial:
        """Arrays by item: for each row `ROW/items`, `ROW/units`, `ROW/correct`, `ROW/totals`."""
        partial: Partial = {}
        for row, found in self._predictions.by_unit().items():
            heads = np.array(self._chosen[row], np.int64)[found.folds]
            units = [self._unit_of[item] for item in found.units.tolist()]
            partial |= {
                f"{row}/items": found.units,
                f"{row}/units": np.array(units, np.int64),
                f"{row}/correct": found.correct[np.arange(len(heads)), heads],
                f"{row}/totals": found.totals,
            }
        return partial
