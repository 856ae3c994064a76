"""Patterns, shard by shard: what each head gives to fixed targets, example by example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.base import Heads
from attnray.metrics.patterns import PATTERNS
from attnray.metrics.sums import Moments, moments
from attnray.model.pieces import TokenRole


class PatternSums:
    """The patterns of each example of a shard, then summed over units."""

    def __init__(self, examples: Sequence[Example], heads: Heads) -> None:
        self._examples = examples
        self._values = np.zeros((len(examples), len(PATTERNS), *heads))

    def add(self, first: int, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        group = self._examples[first : first + len(maps)]
        roles = torch.from_numpy(np.stack([example.roles for example in group]))
        values = pattern_values(maps, roles.to(maps.device))
        self._values[first : first + len(maps), :, layers] = values.cpu().numpy()

    def partial(self) -> Moments:
        """See `Accumulator.partial`."""
        units, unit_of = np.unique([e.unit for e in self._examples], return_inverse=True)
        counts = np.zeros((len(units), *self._values.shape[1:]))
        np.add.at(counts, unit_of, self._values)
        return moments(counts, np.bincount(unit_of).astype(np.int64))

    def cases(self) -> None:
        """See `Accumulator.cases`."""


def pattern_values(attention: Tensor, roles: Tensor) -> Tensor:
    """The patterns of examples of equal length.

    Args:
        attention: float64, (example, layer, head, query, key).
        roles: the `TokenRole` of each token, (example, token).

    Returns:
        float64, (example, pattern, layer, head), in the order of `PATTERNS`.
    """
    entropy = torch.special.entr(attention).sum(-1)
    to_sep = _weight_on(attention, roles == TokenRole.SEP)
    is_sep = (roles == TokenRole.SEP)[:, None, None].expand_as(to_sep)
    is_cls = (roles == TokenRole.CLS)[:, None, None].expand_as(to_sep)
    length = attention.shape[-1]
    return torch.stack(
        [
            attention.diagonal(0, -2, -1).sum(-1) / length,
            attention.diagonal(-1, -2, -1).sum(-1) / length,
            attention.diagonal(1, -2, -1).sum(-1) / length,
            _weight_on(attention, roles == TokenRole.CLS).mean(-1),
            to_sep.mean(-1),
            _weight_on(attention, roles == TokenRole.PUNCTUATION).mean(-1),
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
