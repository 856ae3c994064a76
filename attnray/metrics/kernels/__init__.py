"""The loops over weights: the same functions for a CPU (numba) and for a GPU (Triton)."""

from __future__ import annotations

from types import ModuleType

import torch


def kernels(device: torch.device) -> ModuleType:
    """The module whose functions work on a device; each is imported where it is used."""
    if device.type == "cpu":
        from attnray.metrics.kernels import cpu

        return cpu
    from attnray.metrics.kernels import gpu

    return gpu
