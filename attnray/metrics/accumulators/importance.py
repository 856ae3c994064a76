"""Importance, shard by shard: absolute gradients by the target of attention."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.base import Heads
from attnray.metrics.groups import Group
from attnray.metrics.importance import TARGETS, ImportancePartial
from attnray.model.pieces import TokenRole

_ROLES = (TokenRole.SEP, TokenRole.CLS, TokenRole.PUNCTUATION)


class ImportanceSums:
    """The sum over a shard's examples."""

    def __init__(self, examples: Sequence[Example], heads: Heads) -> None:
        self._examples = examples
        self._sums = np.zeros((len(TARGETS), *heads))
        self._pending = Pending()

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""

        def take(values: NDArray[np.float64]) -> None:
            self._sums[:, layers] += values

        roles = group.on(maps.device, "roles")
        for n, own, marks in zip(group.lengths.tolist(), maps, roles, strict=True):
            self._pending.put(target_values(own[..., :n, :n], marks[:n]), take)

    def partial(self) -> ImportancePartial:
        """See `Accumulator.partial`.

        Raises:
            FloatingPointError: the model gave gradients that are no numbers.
        """
        self._pending.finish()
        if not np.isfinite(self._sums).all():
            raise FloatingPointError("the masked-LM loss has gradients that are no numbers")
        return ImportancePartial(self._sums, np.asarray(len(self._examples)))

    def cases(self) -> None:
        """See `Accumulator.cases`."""


def target_values(gradients: Tensor, roles: Tensor) -> Tensor:
    """What one example gives: float64, (target, layer, head), in the order of `TARGETS`.

    Args:
        gradients: (layer, head, query, key), without padding.
        roles: the `TokenRole` of each token.
    """
    known = torch.stack([roles == role for role in _ROLES])
    keys = torch.cat([known, ~known.any(0, keepdim=True)]).to(torch.float64)
    by_key = gradients.abs().to(torch.float64).mean(-2)
    return torch.einsum("lhk,tk->tlh", by_key, keys)
