"""How much the masked-LM loss changes with attention (docs/definitions.md: Importance)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.base import Heads, Metric, grid

if TYPE_CHECKING:
    from attnray.metrics.accumulators.importance import ImportanceSums

TARGETS = ("sep", "cls", "punctuation", "other")


@dataclass(frozen=True)
class ImportanceRow:
    """A row of `importance`: the mean absolute gradient of a head on a target, in nats."""

    layer: int
    head: int
    target: str
    value: float
    examples: int


@dataclass(frozen=True)
class ImportancePartial:
    """The values of examples added up, (target, layer, head), and how many those are."""

    sums: NDArray[np.float64]
    examples: NDArray[np.int64]


@dataclass(frozen=True)
class Importance(Metric):
    """The mean absolute gradient with respect to attention, summed over the keys of a target."""

    name = "importance"
    role = "patterns"
    made_of = "gradients"
    partial = ImportancePartial
    rows: ClassVar = {"importance": ImportanceRow}
    version = 2

    @classmethod
    def of(cls, config: Config, max_tokens: int | None) -> Self:
        """See `Metric.of`."""
        return cls()

    def start(self, examples: Sequence[Example], heads: Heads) -> ImportanceSums:
        """See `Metric.start`."""
        from attnray.metrics.accumulators.importance import ImportanceSums

        return ImportanceSums(examples, heads)

    def tables(self, total: ImportancePartial) -> dict[str, pa.Table]:
        """See `Metric.tables`."""
        values = total.sums / total.examples
        target, layer, head = grid(values.shape)
        table = {
            "layer": layer + 1,
            "head": head + 1,
            "target": np.array(TARGETS)[target],
            "value": values.ravel(),
            "examples": np.full(values.size, total.examples),
        }
        order = np.lexsort((target, head, layer))
        return {"importance": pa.table(table).take(order)}
