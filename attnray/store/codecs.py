"""How a weight is coded in the store, on the model's device, and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

from attnray.metrics.groups import Group
from attnray.metrics.kernels import kernels

STEPS = 1024
ZERO = 65535


@dataclass(frozen=True)
class Codec:
    """A code for weights between 0 and 1.

    `coded` takes the weights of one layer, float32 on any device, (example, head, query, key), and
    gives their codes without padding, (head, cell); `decode` gives float32, and does without torch;
    `zero` is the code of 0.
    """

    name: str
    dtype: str
    zero: float
    coded: Callable[[Tensor, Group], Tensor]
    decode: Callable[[NDArray[Any]], NDArray[np.float32]]


def _log16(weights: Tensor, group: Group) -> Tensor:
    """-log2 p in steps of 1/1024 as uint16; the top code is 0, the code below it 2**-63.999."""
    codes: Tensor = kernels(weights.device).log16(weights, group)
    return codes


def _exact(weights: Tensor, group: Group) -> Tensor:
    cells: Tensor = kernels(weights.device).compacted(weights, group)
    return cells


def _log16_values() -> NDArray[np.float32]:
    values = np.exp2(-np.arange(ZERO + 1) / STEPS).astype(np.float32)
    values[ZERO] = 0
    return values


_LOG16_VALUES = _log16_values()

CODECS = {
    codec.name: codec
    for codec in (
        Codec("log16", "uint16", ZERO, _log16, lambda codes: np.take(_LOG16_VALUES, codes)),
        Codec(
            "float16",
            "float16",
            0,
            lambda weights, group: _exact(weights, group).half(),
            lambda codes: codes.astype(np.float32),
        ),
        Codec("float32", "float32", 0, _exact, lambda codes: codes),
    )
}
