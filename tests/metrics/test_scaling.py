"""Places of heads in a plane, and the table `heads`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from attnray.config import BehaviourConfig
from attnray.metrics.base import grid
from attnray.metrics.behaviour import behaviours
from attnray.metrics.heads import heads_table
from attnray.metrics.patterns import PATTERNS
from attnray.metrics.scaling import scaled

Floats = NDArray[np.float64]


def distances(points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(points[:, None] - points, axis=-1))


def random_divergences(heads: int, seed: int) -> Floats:
    """Divergences of random distributions over 30 keys, which no plane can hold."""
    p = np.random.default_rng(seed).dirichlet(np.full(30, 0.3), heads)
    middle = (p[:, None] + p) / 2
    found = (p[:, None] * np.log(p[:, None] / middle)).sum(-1) / 2
    return np.asarray(found + found.T)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("size", [1e-6, 1.0])
def test_points_of_a_plane_come_back(size: float, seed: int) -> None:
    wanted = distances(size * np.random.default_rng(seed).normal(size=(20, 2)))
    assert distances(scaled(wanted, 0)) == pytest.approx(wanted, abs=0.02 * wanted.max())


@pytest.mark.parametrize("seed", range(2))
def test_the_axes_are_principal_and_their_signs_fixed(seed: int) -> None:
    points = scaled(random_divergences(20, seed), 0)
    spread = points.T @ points
    assert points.mean(0) == pytest.approx([0, 0], abs=1e-12)
    assert spread[0, 1] == pytest.approx(0, abs=1e-12)
    assert spread[0, 0] >= spread[1, 1]
    assert ((points**3).sum(0) >= 0).all()


@pytest.mark.parametrize("seed", range(2))
def test_the_seed_decides_and_the_order_of_heads_does_not(seed: int) -> None:
    values = random_divergences(20, seed)
    points = scaled(values, seed)
    order = np.random.default_rng(seed).permutation(20)
    assert (points == scaled(values, seed)).all()
    assert (points[order] == scaled(values[np.ix_(order, order)], seed)).all()


@pytest.mark.parametrize("heads", [0, 1, 2, 5])
def test_equal_heads_lie_in_one_place(heads: int) -> None:
    assert (scaled(np.zeros((heads, heads)), 0) == np.zeros((heads, 2))).all()


@pytest.mark.parametrize("value", [0.3, 1e-17, 1e-300])
def test_two_heads_lie_on_the_first_axis(value: float) -> None:
    points = scaled(np.array([[0, value], [value, 0]]), 0)
    assert np.abs(points[:, 0]) == pytest.approx([value / 2, value / 2])
    assert points[:, 1] == pytest.approx([0, 0], abs=value * 1e-9)


def test_one_head_apart_from_equal_ones_and_heads_equally_far_apart() -> None:
    apart = np.zeros((6, 6))
    apart[2] = apart[:, 2] = 0.5
    apart[2, 2] = 0
    x, y = scaled(apart, 0).T
    others = np.delete(x, 2)
    assert x[2] - others == pytest.approx([0.5] * 5, abs=0.02)
    assert np.abs(y).max() < 0.02
    assert np.isfinite(scaled(1 - np.eye(7), 0)).all()


def patterns_of(shape: tuple[int, int]) -> pa.Table:
    layer, head, pattern = grid((*shape, len(PATTERNS)))
    value = np.random.default_rng(0).random(layer.size)
    names = np.array(PATTERNS)[pattern]
    return pa.table({"layer": layer + 1, "head": head + 1, "pattern": names, "value": value})


def test_the_table_of_heads() -> None:
    shape, values = (3, 4), random_divergences(12, 0)
    layer_a, head_a, layer_b, head_b = grid(shape * 2)
    columns: dict[str, Any] = {"layer_a": layer_a + 1, "head_a": head_a + 1}
    columns |= {"layer_b": layer_b + 1, "head_b": head_b + 1, "js_divergence": values.ravel()}
    backwards = np.arange(values.size)[::-1]
    divergence = pa.table(columns).take(backwards)
    patterns = patterns_of(shape)
    found = heads_table(patterns, divergence, BehaviourConfig(), 4.0, 7)
    assert found.column_names == ["layer", "head", "behaviour", "x", "y"]
    assert found.drop_columns(["x", "y"]) == behaviours(patterns, BehaviourConfig(), 4.0)
    points = np.stack([found["x"].to_numpy(), found["y"].to_numpy()], 1)
    assert (points == scaled(values, 7)).all()


def test_without_divergences_heads_have_no_place() -> None:
    found = heads_table(patterns_of((2, 2)), None, BehaviourConfig(), 4.0, 0)
    assert found["x"].to_pylist() == found["y"].to_pylist() == [None] * 4
    assert found["x"].type == pa.float64()
