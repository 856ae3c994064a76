"""How unlike each other heads attend (section 6; docs/definitions.md: Divergence)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.base import Heads, Metric, Planned, grid, nullable
from attnray.metrics.rows import table_of
from attnray.metrics.sums import Moments, ratio, standard_error

if TYPE_CHECKING:
    from attnray.metrics.accumulators.divergence import DivergenceSums

#: Sums of the same divergences in another order differ by less than this share.
ROUNDING = 1e-12


@dataclass(frozen=True)
class DivergenceRow:
    """A row of `divergence`: how unlike two heads attend, in nats; every ordered pair has one."""

    layer_a: int
    head_a: int
    layer_b: int
    head_b: int
    js_divergence: float | None
    standard_error: float | None
    examples: int


@dataclass(frozen=True)
class ClosenessRow:
    """The row of `layer_closeness`: mean divergences of heads within and between layers."""

    within: float | None
    between: float | None
    difference: float | None
    p_value: float | None
    permutations: int


@dataclass(frozen=True)
class DivergencePartial:
    """Divergences over query tokens, (layer, head, layer, head), and how many examples."""

    sums: Moments
    examples: NDArray[np.int64]


@dataclass(frozen=True)
class Divergence(Metric):
    """Jensen-Shannon divergence in nats between every two heads, and how close layers are.

    `permutations` is how many relabellings the test of `layer_closeness` draws, from `seed`.
    Of `planned` examples, those of a set with this `key`, it takes a sample of `most`, drawn from
    `seed` too; None takes all.
    """

    permutations: int
    seed: int
    most: int | None = None
    planned: int = 0
    key: str = ""

    name = "divergence"
    role = "patterns"
    of_whole_set = True
    partial = DivergencePartial
    rows: ClassVar = {"divergence": DivergenceRow, "layer_closeness": ClosenessRow}
    version = 3

    @classmethod
    def of(cls, config: Config, planned: Planned | None) -> Self:
        """See `Metric.of`."""
        most = None if config.divergence.examples == "all" else int(config.divergence.examples)
        if planned is None:
            return cls(config.permutations, config.seed, most)
        return cls(config.permutations, config.seed, most, planned.size, planned.key)

    @cached_property
    def _sample(self) -> frozenset[int] | None:
        """The numbers of the examples that are taken, None for all."""
        if self.most is None or self.most >= self.planned:
            return None
        chooser = random.Random(f"{self.seed}:{self.key}")
        return frozenset(chooser.sample(range(self.planned), self.most))

    def takes(self, index: int) -> bool:
        """Whether the example of this number is among those measured."""
        return self._sample is None or index in self._sample

    @property
    def parameters(self) -> dict[str, object]:
        """See `Metric.parameters`."""
        if self._sample is None:
            return {}
        return {"sample": [self.most, self.planned, self.seed, self.key]}

    @property
    def settings(self) -> dict[str, object]:
        """See `Metric.settings`; the seed is that of the whole run."""
        return {"permutations": self.permutations}

    def start(self, examples: Sequence[Example], heads: Heads) -> DivergenceSums:
        """See `Metric.start`."""
        from attnray.metrics.accumulators.divergence import DivergenceSums

        return DivergenceSums(self, examples, heads)

    def tables(self, total: DivergencePartial) -> dict[str, pa.Table]:
        """See `Metric.tables`."""
        divergences, error = ratio(total.sums), standard_error(total.sums)[0]
        layer_a, head_a, layer_b, head_b = grid(divergences.shape)
        pairs = {
            "layer_a": layer_a + 1,
            "head_a": head_a + 1,
            "layer_b": layer_b + 1,
            "head_b": head_b + 1,
            "js_divergence": nullable(divergences.ravel()),
            "standard_error": nullable(error.ravel()),
            "examples": np.full(divergences.size, total.examples),
        }
        row = layer_closeness(divergences, self.permutations, self.seed)
        return {"divergence": pa.table(pairs), "layer_closeness": table_of(ClosenessRow, [row])}


def layer_closeness(
    divergences: NDArray[np.float64], permutations: int, seed: int
) -> dict[str, object]:
    """Whether heads of one layer are more alike than heads of different layers.

    The test deals the layers' labels out to the heads anew; `p_value` is the share of such
    relabellings, the true one counted in, with as large a difference or larger. A mean of no
    pair is None, and so is what rests on it.

    Args:
        divergences: symmetric, 0 on the diagonal, (layer, head, layer, head).
        permutations: how many relabellings to draw.
        seed: of the draws.
    """
    layers, heads = divergences.shape[:2]
    flat = divergences.reshape(layers * heads, -1)
    label = np.repeat(np.arange(layers), heads)
    same = label[:, None] == label
    within = _mean(flat[same].sum() / 2, layers * comb(heads, 2))
    between = _mean(flat[~same].sum() / 2, comb(layers, 2) * heads**2)
    difference = p_value = None
    if within is not None and between is not None:
        difference = between - within
        p_value = _p_value(flat, (layers, heads), permutations, seed)
    return {
        "within": within,
        "between": between,
        "difference": difference,
        "p_value": p_value,
        "permutations": permutations,
    }


def _mean(total: np.float64, pairs: int) -> float | None:
    return float(total) / pairs if pairs else None


def _p_value(
    divergences: NDArray[np.float64], shape: tuple[int, int], permutations: int, seed: int
) -> float:
    """All divergences together stay the same, so a larger difference is a smaller sum within."""
    random = np.random.default_rng(seed)
    count = len(divergences)
    most = _sum_within(divergences, np.arange(count).reshape(shape)) * (1 + ROUNDING)
    orders = (random.permutation(count).reshape(shape) for _ in range(permutations))
    extreme = sum(bool(_sum_within(divergences, order) <= most) for order in orders)
    return (1 + extreme) / (1 + permutations)


def _sum_within(divergences: NDArray[np.float64], order: NDArray[np.int64]) -> np.float64:
    """The sum over ordered pairs of heads in the same row of `order`, (layer, head)."""
    return np.float64(divergences[order[:, :, None], order[:, None, :]].sum())
