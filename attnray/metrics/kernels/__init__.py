"""The loops over weights: the same functions for a CPU (numba) and for a GPU (Triton)."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

#: How the pieces of an attending word are brought together, by number.
MERGES = {"mean": 0, "first": 1, "max": 2}
#: How many sums the patterns of an example are made of.
SUMS = 9


def kernels(device: torch.device) -> ModuleType:
    """The module whose functions work on a device; each is imported where it is used."""
    if device.type == "cpu":
        from attnray.metrics.kernels import cpu

        return cpu
    from attnray.metrics.kernels import gpu

    return gpu
