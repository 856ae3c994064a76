"""Codes of weights: what they keep, by how much they move the rest, and that they keep order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.store.codecs import CODECS
from tests.builders.random_maps import padded, tokens

#: Half a step, 1/128 of one for the float32 logarithm (63 has a spacing of 2**-18 steps of
#: 2**-10), and the rounding of the value itself.
BOUND = 2 ** ((0.5 + 1 / 128) / 1024) - 1 + 2.0**-24
SMALLEST = 2.0 ** (-65534 / 1024)

weights = st.floats(float(np.float32(2**-63.9)), 1, width=32, exclude_min=True)


def codes(name: str, values: list[float] | NDArray[np.float32]) -> NDArray[np.generic]:
    """The codes of weights, each as a map of one token."""
    weights = torch.tensor(values, dtype=torch.float32)
    (found,) = CODECS[name].codes(weights[:, None, None, None], tokens([1] * len(weights)))
    return np.asarray(found)


def round_trip(name: str, values: list[float] | NDArray[np.float32]) -> NDArray[np.float32]:
    return CODECS[name].decode(codes(name, values))


def test_the_names_are_those_of_the_configuration() -> None:
    from attnray.config import CHOICES

    assert {*CODECS, "none"} == set(CHOICES["store.codec"])
    assert all(codec.name == name for name, codec in CODECS.items())


@pytest.mark.parametrize("name", CODECS)
def test_codes_and_values_have_the_announced_types(name: str) -> None:
    assert codes(name, [0.25]).dtype == CODECS[name].dtype
    assert round_trip(name, [0.25]).dtype == np.float32


@pytest.mark.parametrize("name", CODECS)
def test_zero_and_one_are_exact(name: str) -> None:
    assert round_trip(name, [0.0, 1.0]).tolist() == [0, 1]
    assert codes(name, [0.0])[0] == CODECS[name].zero


@pytest.mark.parametrize("name", CODECS)
def test_padding_is_left_out(name: str) -> None:
    lengths = [3, 1, 4]
    maps = [np.random.default_rng(n).choice([0, 0.25, 1], (2, n, n)) for n in lengths]
    found = CODECS[name].codes(padded(maps), tokens(lengths))
    expected = np.concatenate([each.reshape(2, -1) for each in maps], axis=1)
    np.testing.assert_array_equal(CODECS[name].decode(found), expected)


@pytest.mark.parametrize("name", CODECS)
def test_encoding_leaves_the_weights_alone(name: str) -> None:
    weights = torch.tensor([0.0, 0.3, 1.0, 0.5])
    CODECS[name].codes(weights.reshape(1, 1, 2, 2), tokens([2]))
    assert torch.equal(weights, torch.tensor([0.0, 0.3, 1.0, 0.5]))


@given(weights)
def test_log16_moves_a_weight_by_less_than_half_a_step(weight: float) -> None:
    (found,) = round_trip("log16", [weight])
    assert abs(found - weight) <= BOUND * weight


@pytest.mark.slow
def test_log16_keeps_its_bound_over_the_whole_range() -> None:
    exponents = np.random.default_rng(0).uniform(-63.9, 0, 200_000)
    values = np.exp2(exponents).astype(np.float32)
    error = np.abs(round_trip("log16", values) / values.astype(np.float64) - 1)
    assert error.max() <= BOUND
    assert error.max() > BOUND / 2


@given(weights, weights)
def test_log16_keeps_order(one: float, other: float) -> None:
    low, high = sorted((one, other))
    low_code, high_code = codes("log16", [low, high]).astype(int)
    assert low_code >= high_code
    found = round_trip("log16", [low, high])
    assert found[0] <= found[1]


def test_log16_decodes_every_code_to_a_smaller_weight_than_the_one_before() -> None:
    values = CODECS["log16"].decode(np.arange(65536).astype(np.uint16))
    assert (np.diff(values) < 0).all()
    assert (values[0], values[-2], values[-1]) == (1, np.float32(SMALLEST), 0)


def test_log16_codes_of_values_are_stable() -> None:
    every = np.arange(65536).astype(np.uint16)
    values = CODECS["log16"].decode(every).astype(np.float32)
    np.testing.assert_array_equal(codes("log16", values), every)


def test_log16_makes_tiny_weights_the_smallest_and_not_zero() -> None:
    tiny = [2.0**-64, 2.0**-100, 2.0**-126, 2.0**-149]
    assert round_trip("log16", tiny).tolist() == [np.float32(SMALLEST)] * 4
    assert codes("log16", tiny).tolist() == [65534] * 4


def test_log16_makes_weights_just_above_one_one() -> None:
    above = [float(np.nextafter(np.float32(1), np.float32(2))), 1.0001, 1.001, 1.01]
    assert round_trip("log16", above).tolist() == [1] * 4


@given(st.floats(0, 1, width=32))
def test_float32_is_exact(weight: float) -> None:
    assert round_trip("float32", [weight]).tolist() == [weight]


@given(st.floats(0, 1, width=32))
def test_float16_is_that_of_numpy(weight: float) -> None:
    half = np.array([weight], np.float32).astype(np.float16)
    assert round_trip("float16", [weight]).tolist() == half.astype(float).tolist()
