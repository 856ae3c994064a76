"""The best of many candidates, on all cases and on held-out folds (docs/definitions.md)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: With fewer units than this nothing is held out.
FEWEST_UNITS = 5

Counts = NDArray[np.generic]


def best(correct: Counts) -> int:
    """The candidate with the most correct cases, the first of equals."""
    return int(np.argmax(correct))


def picks(correct: Counts) -> list[int]:
    """For each fold the candidate that is best on the others.

    Args:
        correct: counts by (fold, candidate), candidates in the order that breaks ties.
    """
    return [best(rest) for rest in correct.sum(0) - correct]


def heldout_correct(correct: Counts) -> int:
    """Cases right when each fold is scored by the candidate that is best on the others."""
    return sum(int(fold[pick]) for fold, pick in zip(correct, picks(correct), strict=True))
