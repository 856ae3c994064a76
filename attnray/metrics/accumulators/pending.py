"""Results on their way from a GPU: taken in when they have come, while the work goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: So many results may be under way, about those of two batches of a deep model.
MOST = 64

Take = Callable[[NDArray[Any]], None]


class Pending:
    """Hands results to those who take them in, in the order in which they were put here."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Tensor, Any, Take]] = deque()

    def put(self, result: Tensor, take: Take) -> None:
        """Take in a result: one of a CPU at once, one of a GPU when its copy is here."""
        if result.device.type == "cpu":
            take(result.numpy())
            return
        here = torch.empty(result.shape, dtype=result.dtype, pin_memory=True)
        here.copy_(result, non_blocking=True)
        copied = torch.cuda.Event()
        copied.record()
        self._waiting.append((here, copied, take))
        while len(self._waiting) > MOST:
            self._next()

    def finish(self) -> None:
        """Wait for everything that is under way."""
        while self._waiting:
            self._next()

    def _next(self) -> None:
        here, copied, take = self._waiting.popleft()
        copied.synchronize()
        take(np.asarray(here))
