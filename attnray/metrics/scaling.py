"""Heads as points of a plane, near where they attend alike (section 6 of the paper)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Random starts, of which the one with the least stress is kept.
STARTS = 16


def scaled(divergence: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Metric multidimensional scaling to two dimensions.

    The points are centred and turned to their principal axes, the longer one first, with the
    longer tail of each axis on its positive side. Another order of heads gives the same points
    in that order, unless the divergences of two heads add up to exactly the same.

    Args:
        divergence: symmetric, 0 on the diagonal, at least 0, (head, head).
        seed: of the random starts.

    Returns:
        (head, 2), in nats.
    """
    largest = divergence.max(initial=0)
    if largest == 0:
        return np.zeros((len(divergence), 2))
    order = np.argsort(np.sort(divergence).sum(1), kind="stable")
    points = np.empty((len(divergence), 2))
    points[order] = largest * _oriented(
        _stress_least(divergence[np.ix_(order, order)] / largest, seed)
    )
    return points


def _stress_least(distances: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    # Imported here since it takes a second.
    from sklearn.manifold import MDS

    scaling = MDS(
        n_components=2, metric="precomputed", init="random", n_init=STARTS, random_state=seed
    )
    return np.asarray(scaling.fit_transform(distances), np.float64)


def _oriented(points: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = points - points.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    turned = centred @ axes.T
    return np.asarray(turned * np.where((turned**3).sum(0) < 0, -1, 1))
