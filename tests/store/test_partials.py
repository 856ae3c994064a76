"""Partials come back from a run folder as they were, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from attnray.errors import IncompleteRun
from attnray.metrics.divergence import DivergencePartial
from attnray.metrics.sums import Moments, moments
from attnray.store.committed import Files
from attnray.store.folder import RunFolder, measured

#: A partial of named arrays.
Named = dict[str, NDArray[Any]]


def written(path: Path, partial: Named) -> Files:
    folder = RunFolder(path)
    files = folder.write_partial("metric", 0, partial)
    folder.commit(measured("metric"), 0, "", files)
    return files


def read(folder: Path) -> Named:
    partial: Named = RunFolder(folder).partial("metric", Named, 0)
    return partial


def assert_same(found: Named, expected: Named) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        kind = np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64
        assert found[name].dtype == kind
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


PARTIAL: Named = {
    "counts": np.arange(24).reshape(2, 3, 4),
    "means": np.random.default_rng(0).random((3, 2)),
    "a/b:c d/é": np.array([1.5]),
    "total": np.asarray(7),
    "loss": np.asarray(2.5),
    "no ints": np.zeros((0, 3), np.int64),
    "no floats": np.zeros((2, 0)),
    "transposed": np.arange(6).reshape(2, 3).T,
    "large": np.array([2**62 + 1, -(2**53) - 1]),
    "small int": np.arange(3, dtype=np.int32),
    "strange": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]),
}


def test_partials_come_back_as_they_were(tmp_path: Path) -> None:
    written(tmp_path, PARTIAL)
    found = read(tmp_path)
    assert_same(found, PARTIAL)
    assert np.signbit(found["strange"][3])


def test_a_partial_of_nothing_comes_back(tmp_path: Path) -> None:
    written(tmp_path, {})
    assert read(tmp_path) == {}


def test_a_partial_is_read_from_any_folder(tmp_path: Path) -> None:
    for name in ("name=x", "shape=3,integers=a", "with space", "per%20cent", "b[0]"):
        written(tmp_path / name, PARTIAL)
        assert_same(read(tmp_path / name), PARTIAL)


def test_the_same_partial_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, PARTIAL) for name in ("one", "two"))
    assert one == two


def test_a_partial_of_another_type_is_refused(tmp_path: Path) -> None:
    folder, partial = RunFolder(tmp_path), moments(np.ones((2, 1)), np.ones(2))
    folder.commit(measured("metric"), 0, "", folder.write_partial("metric", 0, partial))
    assert isinstance(folder.partial("metric", Moments, 0), Moments)
    with pytest.raises(IncompleteRun, match=r"00000\.parquet: of another kind"):
        folder.partial("metric", DivergencePartial, 0)


shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
values = arrays.arrays(np.int64, shapes) | arrays.arrays(np.float64, shapes)


@settings(max_examples=40)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values, max_size=4))
def test_any_partial_comes_back(tmp_path_factory: pytest.TempPathFactory, partial: Named) -> None:
    folder = tmp_path_factory.mktemp("partial")
    written(folder, partial)
    assert_same(read(folder), partial)
