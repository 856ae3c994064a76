"""How much the masked-LM loss changes with attention (figure 3; contract: Importance)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.base import grid
from attnray.metrics.sums import Partial
from attnray.model.pieces import Role

TARGETS = ("sep", "cls", "punctuation", "other")
_ROLES = (Role.SEP, Role.CLS, Role.PUNCTUATION)


@dataclass(frozen=True)
class ImportanceRow:
    """A row of `importance`: the mean absolute gradient of a head on a target, in nats."""

    layer: int
    head: int
    target: str
    value: float
    examples: int


class Importance:
    """The mean absolute gradient with respect to attention, summed over the keys of a target.

    Unlike other metrics it is not made from stored attention: an extractor, which has the
    model, gives each shard's gradients to `ImportanceSums`.
    """

    name = "importance"
    table_names: tuple[str, ...] = ("importance",)

    @property
    def parameters(self) -> dict[str, object]:
        """Nothing can be set."""
        return {"version": 1}

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The table `importance`."""
        values = total["c"] / total["t"]
        target, layer, head = grid(values.shape)
        table = {
            "layer": layer + 1,
            "head": head + 1,
            "target": np.array(TARGETS)[target],
            "value": values.ravel(),
            "examples": np.full(values.size, total["t"]),
        }
        order = np.lexsort((target, head, layer))
        return {"importance": pa.table(table).take(order)}


class ImportanceSums:
    """The sum over a shard's examples; `heads` is (layers, heads)."""

    def __init__(self, heads: tuple[int, int]) -> None:
        self._sums = np.zeros((len(TARGETS), *heads))
        self._examples = 0

    def add(self, examples: Sequence[Example], gradients: Sequence[Tensor]) -> None:
        """Take in a batch: for each layer its gradients, (example, head, query, key), padded."""
        for row, example in enumerate(examples):
            roles = torch.from_numpy(example.roles)
            layers = [layer[row, :, : example.length, : example.length] for layer in gradients]
            self._sums += target_values(torch.stack(layers), roles).cpu().numpy()
        self._examples += len(examples)

    def partial(self) -> Partial:
        """The sums of the shard."""
        return {"c": self._sums, "t": np.asarray(self._examples)}


def target_values(gradients: Tensor, roles: Tensor) -> Tensor:
    """What one example gives: float64, (target, layer, head), in the order of `TARGETS`.

    Args:
        gradients: (layer, head, query, key), without padding.
        roles: the `Role` of each token.
    """
    roles = roles.to(gradients.device)
    known = torch.stack([roles == role for role in _ROLES])
    keys = torch.cat([known, ~known.any(0, keepdim=True)]).to(torch.float64)
    by_key = gradients.abs().to(torch.float64).mean(-2)
    return torch.einsum("lhk,tk->tlh", by_key, keys)
