"""Surface patterns and entropies (section 3; docs/definitions.md: Patterns)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pyarrow as pa

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.base import Heads, Metric, grid, nullable
from attnray.metrics.sums import Moments, mean_interval, ratio

if TYPE_CHECKING:
    from attnray.metrics.accumulators.patterns import PatternSums

PATTERNS = (
    "self",
    "previous",
    "next",
    "cls",
    "sep",
    "punctuation",
    "sep_to_sep",
    "other_to_sep",
    "entropy",
    "entropy_from_cls",
)


@dataclass(frozen=True)
class PatternRow:
    """A row of `patterns`: the mean weight on a target, or the mean entropy in nats, of a head."""

    layer: int
    head: int
    pattern: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    examples: int


@dataclass(frozen=True)
class Patterns(Metric):
    """Mean weight on fixed targets, and mean entropy in nats, of every head."""

    name = "patterns"
    role = "patterns"
    partial = Moments
    rows: ClassVar = {"patterns": PatternRow}
    version = 2

    @classmethod
    def of(cls, config: Config, max_tokens: int | None) -> Self:
        """See `Metric.of`."""
        return cls()

    def start(self, examples: Sequence[Example], heads: Heads) -> PatternSums:
        """See `Metric.start`."""
        from attnray.metrics.accumulators.patterns import PatternSums

        return PatternSums(examples, heads)

    def tables(self, total: Moments) -> dict[str, pa.Table]:
        """See `Metric.tables`; the sums of `total` are (pattern, layer, head)."""
        low, high = mean_interval(total)
        pattern, layer, head = grid(low.shape)
        table = {
            "layer": layer + 1,
            "head": head + 1,
            "pattern": np.array(PATTERNS)[pattern],
            "value": ratio(total).ravel(),
            "ci_low": nullable(low.ravel()),
            "ci_high": nullable(high.ravel()),
            "examples": np.full(low.size, total.t),
        }
        order = np.lexsort((pattern, head, layer))
        return {"patterns": pa.table(table).take(order)}
