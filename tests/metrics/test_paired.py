"""The test of head against baseline: by hand, against scipy, and merged over shards."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from attnray.metrics.paired import CORRECTION, Comparison, compare, cross_moments, holm
from tests.builders.trees import assert_same_tree, merged

FOLDS = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
RANDOM = np.random.default_rng(0)
BASE = RANDOM.integers(0, 5, 10)


def counts(*columns: list[int] | np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(column) for column in columns], axis=1).astype(np.int64)


def compared(heads: np.ndarray, baselines: np.ndarray, totals: list[int]) -> Comparison:
    return compare(cross_moments(heads, baselines, np.array(totals), FOLDS))


def test_with_one_choice_it_is_the_paired_t_test() -> None:
    # The first head and the second baseline are the best of every four folds.
    right, theirs = BASE + 4 + RANDOM.integers(0, 3, 10), BASE + 1
    found = compared(counts(right, BASE * 0), counts(BASE * 0, theirs), [12] * 10)
    expected = stats.ttest_rel(right / 12, theirs / 12)
    low, high = expected.confidence_interval(0.95)
    assert found.difference == pytest.approx((right - theirs).sum() / 120)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_where_folds_choose_differently_it_is_wider() -> None:
    # Without fold 0 the second head is better, with it the first.
    first = np.array([9, 3, 3, 3, 3, 9, 3, 3, 3, 3])
    second = np.array([0, 4, 4, 4, 4, 0, 4, 4, 5, 4])
    baseline = np.array([2, 1, 3, 0, 2, 2, 1, 1, 2, 3])
    found = compared(counts(first, second), counts(baseline), [10] * 10)
    chosen = np.array([(second if FOLDS[u] == 0 else first)[u] for u in range(10)])
    plain = stats.ttest_rel(chosen / 10, baseline / 10)
    assert found.p_value == pytest.approx(
        2 * stats.t.sf(abs(plain.statistic) / math.sqrt(CORRECTION), 9)
    )
    assert pytest.approx(9 / 4) == CORRECTION


def test_the_same_difference_everywhere_has_no_p_value_unless_it_is_none() -> None:
    always = compared(counts(BASE + 2), counts(BASE), [10] * 10)
    assert (always.difference, always.low, always.high) == (
        0.2,
        pytest.approx(0.2),
        pytest.approx(0.2),
    )
    assert always.p_value is None
    never = compared(counts(BASE), counts(BASE), [10] * 10)
    assert (never.difference, never.p_value) == (0, 1)


def test_an_interval_ends_where_differences_do() -> None:
    # A case a unit, and nothing to tell the two apart by.
    one, other = np.array([1, 0, 1, 0, 1]), np.array([0, 1, 0, 1, 0])
    found = compare(cross_moments(counts(one), counts(other), one + other, FOLDS[:5]))
    assert (found.difference, found.low, found.high) == (pytest.approx(0.2), -1, 1)
    assert found.p_value == pytest.approx(stats.ttest_rel(one, other).pvalue)


@pytest.mark.parametrize("units", [1, 4])
def test_few_units_or_none(units: int) -> None:
    few = [np.array([each]) for each in (3, 1, 4)]
    head, baseline, total = (np.repeat(each, units) for each in few)
    alone = cross_moments(counts(head), counts(baseline), total, FOLDS[:units])
    assert compare(alone) == Comparison(0.5)
    nothing = cross_moments(counts([]), counts([]), np.array([], np.int64), [])
    assert compare(nothing) == Comparison()


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_shards_add_up(seed: int, cut: int) -> None:
    random = np.random.default_rng(seed)
    totals = random.integers(0, 9, 10)
    heads, baselines = (random.integers(0, totals[:, None] + 1, (10, n)) for n in (4, 3))
    whole = cross_moments(heads, baselines, totals, FOLDS)
    parts = [
        cross_moments(heads[part], baselines[part], totals[part], FOLDS[part])
        for part in (slice(cut), slice(cut, None))
    ]
    total = merged(parts)
    assert_same_tree(total, whole)
    assert compare(whole) == compare(total)


@pytest.mark.parametrize(
    ("given", "corrected"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02, None, 0.01, None], [0.02, None, 0.02, None]),
        ([0.01, 0.02, 0.02, 0.005], [0.03, 0.04, 0.04, 0.02]),
    ],
)
def test_holm_by_hand(given: list[float | None], corrected: list[float | None]) -> None:
    assert holm(given) == [None if p is None else pytest.approx(p) for p in corrected]
