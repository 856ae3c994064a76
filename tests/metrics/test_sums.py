"""Sums over units: merging, and the intervals against the definition and a bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnray.metrics.sums import Moments, accuracy_interval, mean_interval, moments, ratio
from tests.builders import oracle
from tests.builders.trees import assert_same_tree, merged

UNITS = st.lists(
    st.integers(0, 5).flatmap(lambda t: st.tuples(st.integers(0, t), st.just(t))),
    min_size=1,
    max_size=12,
).filter(lambda units: any(t for _, t in units))


def sums_of(units: list[tuple[int, int]]) -> Moments:
    counts, totals = np.array(units, np.int64).T
    return moments(counts, totals)


def assert_interval(found: tuple[np.ndarray, np.ndarray], expected: tuple[object, object]) -> None:
    for bound, wanted in zip(found, expected, strict=True):
        if wanted is None:
            assert np.isnan(bound)
        else:
            assert bound == pytest.approx(wanted, abs=1e-9)


@given(UNITS)
def test_intervals_follow_the_definition(units: list[tuple[int, int]]) -> None:
    counts, totals = zip(*units, strict=True)
    sums = sums_of(units)
    assert ratio(sums) == pytest.approx(sum(counts) / sum(totals))
    assert_interval(mean_interval(sums), oracle.intervals(counts, totals))
    assert_interval(accuracy_interval(sums), oracle.intervals(counts, totals, accuracy=True))


@given(UNITS, st.integers(1, 12))
def test_sums_merge(units: list[tuple[int, int]], cut: int) -> None:
    parts = [part for part in (units[:cut], units[cut:]) if part]
    assert_same_tree(merged(map(sums_of, parts)), sums_of(units))


def test_intervals_agree_with_a_bootstrap_over_documents() -> None:
    random = np.random.default_rng(0)
    totals = random.integers(5, 40, 200)
    counts = random.binomial(totals, random.beta(8, 4, 200))
    low, high = accuracy_interval(moments(counts, totals))
    draws = random.integers(0, 200, (20_000, 200))
    replicates = counts[draws].sum(1) / totals[draws].sum(1)
    assert [low, high] == pytest.approx(np.quantile(replicates, [0.025, 0.975]), abs=0.002)
