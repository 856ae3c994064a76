"""What a probe got right: its partial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scored:
    """What is counted of every unit, units ascending: each an array by unit.

    Words of punctuation and those without a head are left out. `edges` are words whose head is a
    word; one is found when the best tree has it, whatever its direction.
    """

    unit: NDArray[np.int64]
    words: NDArray[np.int64]
    correct: NDArray[np.int64]
    tree_correct: NDArray[np.int64]
    edges: NDArray[np.int64]
    edges_found: NDArray[np.int64]


@dataclass(frozen=True)
class ProbePartial:
    """The words that a probe learned from, and what it got right."""

    train_words: NDArray[np.int64]
    scored: Scored
