"""Surface patterns and entropies (section 3 of the paper; contract: Patterns)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.base import grid, nullable
from attnray.metrics.sums import Partial, mean_interval, moments, ratio
from attnray.model.pieces import Role

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


class Patterns:
    """Mean weight on fixed targets, and mean entropy in nats, of every head."""

    name = "patterns"
    table_names: tuple[str, ...] = ("patterns",)

    @property
    def parameters(self) -> dict[str, object]:
        """Nothing can be set."""
        return {"version": 1}

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> PatternSums:
        """An accumulator for the examples of a shard and (layers, heads)."""
        return PatternSums(examples, heads)

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The table `patterns`."""
        low, high = mean_interval(total)
        pattern, layer, head = grid(low.shape)
        table = {
            "layer": layer + 1,
            "head": head + 1,
            "pattern": np.array(PATTERNS)[pattern],
            "value": ratio(total).ravel(),
            "ci_low": nullable(low.ravel()),
            "ci_high": nullable(high.ravel()),
            "examples": np.full(low.size, total["t"]),
        }
        order = np.lexsort((pattern, head, layer))
        return {"patterns": pa.table(table).take(order)}


class PatternSums:
    """The patterns of each example of a shard, then summed over units."""

    def __init__(self, examples: Sequence[Example], heads: tuple[int, int]) -> None:
        self._examples = examples
        self._values = np.zeros((len(examples), len(PATTERNS), *heads))

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """See `Accumulator.add`."""
        group = self._examples[first : first + len(attention)]
        roles = torch.from_numpy(np.stack([example.roles for example in group]))
        values = pattern_values(attention, roles.to(attention.device))
        self._values[first : first + len(attention), :, layers] = values.cpu().numpy()

    def partial(self) -> Partial:
        """See `Accumulator.partial`."""
        units, unit_of = np.unique([e.unit for e in self._examples], return_inverse=True)
        counts = np.zeros((len(units), *self._values.shape[1:]))
        np.add.at(counts, unit_of, self._values)
        return moments(counts, np.bincount(unit_of).astype(np.int64))


def pattern_values(attention: Tensor, roles: Tensor) -> Tensor:
    """The patterns of examples of equal length.

    Args:
        attention: float64, (example, layer, head, query, key).
        roles: the `Role` of each token, (example, token).

    Returns:
        float64, (example, pattern, layer, head), in the order of `PATTERNS`.
    """
    entropy = torch.special.entr(attention).sum(-1)
    to_sep = _weight_on(attention, roles == Role.SEP)
    is_sep = (roles == Role.SEP)[:, None, None].expand_as(to_sep)
    is_cls = (roles == Role.CLS)[:, None, None].expand_as(to_sep)
    length = attention.shape[-1]
    return torch.stack(
        [
            attention.diagonal(0, -2, -1).sum(-1) / length,
            attention.diagonal(-1, -2, -1).sum(-1) / length,
            attention.diagonal(1, -2, -1).sum(-1) / length,
            _weight_on(attention, roles == Role.CLS).mean(-1),
            to_sep.mean(-1),
            _weight_on(attention, roles == Role.PUNCTUATION).mean(-1),
            _mean_where(to_sep, is_sep),
            _mean_where(to_sep, ~is_sep),
            entropy.mean(-1),
            _mean_where(entropy, is_cls),
        ],
        dim=1,
    )


def _weight_on(attention: Tensor, keys: Tensor) -> Tensor:
    """What each query gives to the marked keys: (example, layer, head, query)."""
    flat = attention.flatten(1, 3) @ keys.to(attention.dtype)[..., None]
    return flat.reshape(attention.shape[:-1])


def _mean_where(values: Tensor, where: Tensor) -> Tensor:
    """The mean over the marked queries; 0 where none is marked."""
    return (values * where).sum(-1) / where.sum(-1).clamp(min=1)
