"""Behaviours of heads: thresholds, their order, and the slow implementation."""

from __future__ import annotations

from math import log, nextafter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnray.config import BehaviourConfig
from attnray.metrics.behaviour import BEHAVIOURS, BY_WEIGHT, behaviours
from attnray.metrics.patterns import PATTERNS
from tests.builders import oracle
from tests.builders.cases import assert_same_rows

ABOVE = {"next": 0.5, "previous": 0.5, "cls": 0.6, "sep": 0.6, "punctuation": 0.6, "broad": 3.8}
WEIGHTS = st.sampled_from([0.0, 0.3, 0.5, nextafter(0.5, 1), 0.6, nextafter(0.6, 1), 1.0])


def table(heads: dict[tuple[int, int], dict[str, float]]) -> pa.Table:
    """The table `patterns`, 0 where nothing is said."""
    return pa.Table.from_pylist(
        [
            {"layer": layer, "head": head, "pattern": pattern, "value": values.get(pattern, 0.0)}
            for (layer, head), values in heads.items()
            for pattern in PATTERNS
        ]
    )


def of_one(values: dict[str, float], uniform: float = log(128)) -> str:
    found = behaviours(table({(1, 1): values}), BehaviourConfig(), uniform)
    return str(found["behaviour"][0])


@given(
    st.dictionaries(
        st.tuples(st.integers(1, 24), st.integers(1, 16)),
        st.fixed_dictionaries(dict.fromkeys(BY_WEIGHT, WEIGHTS) | {"entropy": st.floats(0, 6)}),
        min_size=1,
        max_size=6,
    ),
    st.floats(0.6, 7),
)
def test_behaviours_are_those_of_the_slow_way(
    heads: dict[tuple[int, int], dict[str, float]], uniform: float
) -> None:
    patterns = table(heads)
    expected = oracle.behaviours(patterns.to_pylist(), uniform, ABOVE, 128)
    found = behaviours(patterns, BehaviourConfig(), uniform)
    assert_same_rows(found, expected, ("layer", "head"))
    assert found.to_pylist() == expected


def test_the_first_in_order_wins() -> None:
    values = dict.fromkeys(BY_WEIGHT, 1.0) | {"entropy": 5.0}
    for behaviour in BEHAVIOURS[:-1]:
        assert of_one(values) == behaviour
        values["entropy" if behaviour == "broad" else behaviour] = 0.0
    assert of_one(values) == "other"


@pytest.mark.parametrize("pattern", BY_WEIGHT)
def test_a_threshold_must_be_exceeded(pattern: str) -> None:
    assert of_one({pattern: ABOVE[pattern]}) == "other"
    assert of_one({pattern: nextafter(ABOVE[pattern], 1)}) == pattern


def test_broad_means_the_same_at_every_length() -> None:
    assert of_one({"entropy": 3.8}) == "other"
    assert of_one({"entropy": nextafter(3.8, 4)}) == "broad"
    assert of_one({"entropy": 1.95}, uniform=log(12)) == "broad"
    assert of_one({"entropy": 1.94}, uniform=log(12)) == "other"


def test_thresholds_can_be_set() -> None:
    heads = table({(1, 1): {"sep": 0.4, "entropy": 3.0}})
    assert behaviours(heads, BehaviourConfig(sep=0.3), log(64))["behaviour"].to_pylist() == ["sep"]
    broad = behaviours(heads, BehaviourConfig(broad=3.0, broad_length=512), log(64))
    assert broad["behaviour"].to_pylist() == ["broad"]
