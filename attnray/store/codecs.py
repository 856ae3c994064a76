"""How weights are coded in the store, and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

from attnray.metrics.groups import Group
from attnray.metrics.kernels import kernels
from attnray.store import levels

#: A compressor of blosc, and what is done to chunks before.
Blosc = tuple[Literal["lz4", "zstd"], Literal["bitshuffle", "shuffle"]]

STEPS = 1024
ZERO = 65535


@dataclass(frozen=True)
class Codec:
    """A code for weights between 0 and 1.

    Coding has two steps. `coded` takes the weights of one layer, float32 on any device, (example,
    head, query, key), and gives on that device what is to be brought to the host, without padding,
    (head, cell). `finished` makes codes of it there, of any number of heads, (…, cell). `decode`
    gives float32, and does without torch. `zero` is the code of 0, and `blosc` says how chunks of
    codes are compressed, to about `bytes_a_weight`.
    """

    name: str
    dtype: str
    zero: float
    bytes_a_weight: float
    coded: Callable[[Tensor, Group], Tensor]
    decode: Callable[[NDArray[Any]], NDArray[np.float32]]
    finished: Callable[[NDArray[Any], Group], NDArray[Any]] = lambda codes, _: codes
    blosc: Blosc = ("lz4", "bitshuffle")

    def codes(self, weights: Tensor, group: Group) -> NDArray[Any]:
        """The codes of the weights of one layer by both steps: (head, cell)."""
        return self.finished(self.coded(weights, group).cpu().numpy(), group)


def _log16(weights: Tensor, group: Group) -> Tensor:
    """-log2 p in steps of 1/1024 as uint16; the top code is 0, the code below it 2**-63.999."""
    codes: Tensor = kernels(weights.device).log16(weights, group)
    return codes


def _exact(weights: Tensor, group: Group) -> Tensor:
    cells: Tensor = kernels(weights.device).compacted(weights, group)
    return cells


def _compact(cells: NDArray[np.float32], group: Group) -> NDArray[np.uint16]:
    """255 levels of -log2 p, and whole codes where weights compete (see `compact`)."""
    from attnray.store.compact import compact  # (numba: what reads does without)

    return compact(cells, group)


def _log16_values() -> NDArray[np.float32]:
    values = np.exp2(-np.arange(ZERO + 1) / STEPS).astype(np.float32)
    values[ZERO] = 0
    return values


_LOG16_VALUES = _log16_values()
_COMPACT_VALUES = levels.weights_of_codes()

CODECS = {
    codec.name: codec
    for codec in (
        Codec("log16", "uint16", ZERO, 1.77, _log16, lambda codes: np.take(_LOG16_VALUES, codes)),
        Codec(
            "compact",
            "uint16",
            levels.ZERO,
            0.94,
            _exact,
            lambda codes: np.take(_COMPACT_VALUES, codes),
            _compact,
            ("zstd", "shuffle"),
        ),
        Codec(
            "float16",
            "float16",
            0,
            1.74,
            lambda weights, group: _exact(weights, group).half(),
            lambda codes: codes.astype(np.float32),
        ),
        Codec("float32", "float32", 0, 3.42, _exact, lambda codes: codes),
    )
}
