"""A metric of one's own: a number for each head and example, averaged over examples."""

from __future__ import annotations

import re
import traceback
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.base import Heads, Metric, Planned, grid, nullable
from attnray.metrics.rows import schema
from attnray.metrics.sums import Moments, mean_interval, ratio

if TYPE_CHECKING:
    from attnray.metrics.accumulators.own import OwnSums

#: What `HeadMetric.measure` may give: a value for each head, and how much the example counts.
Measured = NDArray[Any] | tuple[NDArray[Any], float]


@dataclass(frozen=True)
class OwnRow:
    """A row of a metric of one's own: the mean value of a head over examples, with its interval."""

    layer: int
    head: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    examples: int


@dataclass(frozen=True)
class OwnDocumentRow:
    """The same over documents that were cut to `max_tokens`."""

    max_tokens: int
    layer: int
    head: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    examples: int


@dataclass(frozen=True)
class OwnPartial:
    """The sums over units of values, each times what its example counts; and the examples."""

    sums: Moments
    examples: NDArray[np.int64]


@dataclass(frozen=True)
class HeadMetric(Metric):
    """What `metrics=[FILE.py:CLASS]` measures: a subclass that has `measure` (docs/own-metric.md).

    Its table has its name, by default that of the class in small letters. `role` says which
    examples: `patterns` (sentences, or pairs), `syntax` (sentences with trees) or `coreference`
    (documents with mentions, for each length they are cut to).
    """

    max_tokens: int | None = None

    role = "patterns"
    partial = OwnPartial
    spellings = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        cls.rows = {cls.name: OwnDocumentRow if cls.role == "coreference" else OwnRow}

    @abstractmethod
    def measure(self, example: Example, attention: NDArray[np.float32]) -> Measured:
        """The value of each head for an example.

        Args:
            example: its words, pieces, trees and mentions.
            attention: weights by (layer, head, query, key), layers and heads from 0.

        Returns:
            Values by (layer, head); and, if that is not 1, how much the example counts in the
            mean, 0 or more: with 0 it is left out.
        """

    @classmethod
    def of(cls, config: Config, planned: Planned | None) -> Self:
        """See `Metric.of`."""
        return cls(planned.max_tokens if planned else None)

    def start(self, examples: Sequence[Example], heads: Heads) -> OwnSums:
        """See `Metric.start`."""
        from attnray.metrics.accumulators.own import OwnSums

        return OwnSums(self, examples, heads)

    def tables(self, total: OwnPartial) -> dict[str, pa.Table]:
        """See `Metric.tables`."""
        value, (low, high) = ratio(total.sums), mean_interval(total.sums)
        layer, head = grid(value.shape)
        columns = {
            "max_tokens": np.full(layer.size, self.max_tokens or 0),
            "layer": layer + 1,
            "head": head + 1,
            "value": nullable(value.ravel()),
            "ci_low": nullable(low.ravel()),
            "ci_high": nullable(high.ravel()),
            "examples": np.full(layer.size, total.examples),
        }
        (row,) = self.rows.values()
        return {self.name: pa.table(columns, schema=schema(row))}


def line_of(error: BaseException, path: str | None = None) -> str:
    """In which line of a file an error came up, by default that of what was called first.

    "" where the message says so, or it came up elsewhere.
    """
    frames = traceback.extract_tb(error.__traceback__)[1:]
    path = path or (frames[0].filename if frames else None)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    return f" (line {lines[-1]})" if lines else ""
