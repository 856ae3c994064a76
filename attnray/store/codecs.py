"""How a weight is coded in the store, on the model's device, and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 1024
ZERO = 65535


@dataclass(frozen=True)
class Codec:
    """A code for weights between 0 and 1.

    `encode` takes float32 on any device; `decode` gives float64, and does without torch; `zero` is
    the code of 0.
    """

    name: str
    dtype: str
    zero: float
    encode: Callable[[Tensor], Tensor]
    decode: Callable[[NDArray[Any]], NDArray[np.float64]]


def _encode_log16(weights: Tensor) -> Tensor:
    """-log2 p in steps of 1/1024 as uint16; the top code is 0, the code below it 2**-63.999."""
    import torch

    codes = torch.log2(weights).mul_(-STEPS).round_().clamp_(0, ZERO - 1)
    return torch.where(weights == 0, ZERO, codes).to(torch.int32).to(torch.uint16)


def _log16_values() -> NDArray[np.float64]:
    values = np.exp2(-np.arange(ZERO + 1) / STEPS).astype(np.float32).astype(np.float64)
    values[ZERO] = 0
    return values


_LOG16_VALUES = _log16_values()


def _decode_log16(codes: NDArray[Any]) -> NDArray[np.float64]:
    return np.take(_LOG16_VALUES, codes)


CODECS = {
    codec.name: codec
    for codec in (
        Codec("log16", "uint16", ZERO, _encode_log16, _decode_log16),
        Codec("float16", "float16", 0, lambda w: w.half(), lambda c: c.astype("f8")),
        Codec("float32", "float32", 0, lambda w: w, lambda codes: codes.astype("f8")),
    )
}
