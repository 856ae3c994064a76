"""Partials as trees: added up in a fixed order, taken apart, and put together again."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from attnray.metrics.registry import METRICS
from attnray.metrics.syntax import SyntaxPartial
from attnray.metrics.tree import grown, leaves, merge
from attnray.probe.results import ProbePartial
from attnray.store.folder import RunFolder, measured
from tests.builders.trees import assert_same_tree, merged

PARTIALS = {**{name: metric.partial for name, metric in METRICS.items()}, "probes": ProbePartial}
#: A count.
ONE = np.asarray(1)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["obl/arg", "nmod:poss", "größe", "格", "a/b/c", "rows", "/", ""]
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = arrays.arrays(np.int64, SHAPES) | arrays.arrays(np.float64, SHAPES)


def trees(kind: Any) -> st.SearchStrategy[Any]:
    """Any tree of a type."""
    if get_origin(kind) is dict:
        return st.dictionaries(NAMES, trees(get_args(kind)[1]), max_size=3)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        branches = {each.name: trees(hints[each.name]) for each in fields(kind)}
        return st.builds(kind, **branches)  # type: ignore[arg-type]
    return ARRAYS


# Adding up


@dataclass(frozen=True)
class Pair:
    """A tree with a branch of names."""

    one: NDArray[np.float64]
    named: dict[str, NDArray[np.float64]]


def by_halves(values: Sequence[float]) -> float:
    """The sum of the first 1, 2, 4, … that are fewer than all, and of the others, so halved."""
    if len(values) == 1:
        return values[0]
    half = 1
    while half * 2 < len(values):
        half *= 2
    return by_halves(values[:half]) + by_halves(values[half:])


def pairs(values: Sequence[float]) -> Iterator[Pair]:
    """Trees of one number each."""
    return (Pair(np.array([value]), {"a/b": np.array(value)}) for value in values)


@given(st.lists(st.floats(-1e18, 1e18), min_size=1, max_size=70))
def test_the_order_of_adding_gives_the_bits(values: list[float]) -> None:
    total = merged(pairs(values))
    assert total.one.tolist() == [by_halves(values)]
    assert total.named["a/b"].shape == ()
    assert float(total.named["a/b"]) == by_halves(values)


def test_another_order_would_give_other_bits() -> None:
    values = [1.0, 2.0**-53, 2.0**-53, 2.0**-53]
    assert merged(pairs(values)).one == by_halves(values) != sum(values)


def test_a_sum_of_any_size_has_everything_once_and_keeps_names_of_some() -> None:
    for count in range(1, 40):
        parts: list[dict[tuple[str, ...], NDArray[Any]]] = [
            {("all",): np.array([n]), (f"only {n % 3}",): np.array([1.5]), (f"{n % 2}",): ONE}
            for n in range(count)
        ]
        total = merge(parts)
        assert total["all",] == [sum(range(count))]
        assert sum(total[f"only {n}",].item() for n in range(min(count, 3))) == 1.5 * count
        assert sum(int(total[f"{n}",]) for n in range(min(count, 2))) == count
        names = ("all", "only 0", "0", "only 1", "1", "only 2")
        assert [place for (place,) in total] == [*names[: count * 2 + 1]]


def test_counts_stay_integers_and_0_dimensional_arrays_stay_so() -> None:
    units, empty = ("units",), ("empty",)
    total = merge([{units: np.asarray(2**60), empty: np.zeros((0, 3))}] * 3)
    assert (total[units].dtype, total[units].shape) == (np.int64, ())
    assert int(total[units]) == 3 * 2**60
    assert total[empty].shape == (0, 3)


def test_adding_changes_no_tree() -> None:
    tree = Pair(np.ones(2), {"a": np.ones(1, np.int64)})
    assert_same_tree(merged([tree]), tree)
    merged([tree, tree, Pair(np.ones(2), {"b": np.ones(1)})])
    assert_same_tree(tree, Pair(np.ones(2), {"a": np.ones(1, np.int64)}))


ARRAYS_MADE: list[weakref.ref[Counted]] = []


class Counted(np.ndarray[Any, Any]):
    """An array that can be seen to be there, as can what is made of it."""

    def __array_finalize__(self, _: object) -> None:
        ARRAYS_MADE.append(weakref.ref(self))


@pytest.mark.parametrize(("kind", "most"), [(np.int64, 3), (np.float64, 8 + 1)])
def test_no_more_is_held_than_a_sum_of_integers_and_floats_for_each_level(
    kind: type[np.number[Any]], most: int
) -> None:
    held = []
    ARRAYS_MADE.clear()

    def parts() -> Iterator[dict[tuple[str, ...], NDArray[Any]]]:
        for number in range(256):
            yield {("array",): np.array([number], kind).view(Counted)}
            held.append(sum(made() is not None for made in ARRAYS_MADE))

    assert merge(parts())["array",] == [sum(range(256))]
    assert len(held) == 256
    assert max(held) <= most


# Apart and together


@pytest.mark.parametrize("name", PARTIALS)
def test_a_tree_is_grown_from_its_leaves(name: str) -> None:
    kind = PARTIALS[name]

    @settings(max_examples=50)
    @given(trees(kind))
    def check(tree: Any) -> None:
        found = grown(kind, dict(leaves(tree)))
        assert type(found) is type(tree)
        assert_same_tree(found, tree)

    check()


@pytest.mark.parametrize("name", PARTIALS)
def test_a_tree_comes_back_from_disk(name: str, tmp_path: Any) -> None:
    kind, folder = PARTIALS[name], RunFolder(tmp_path)

    @settings(max_examples=20)
    @given(trees(kind))
    def check(tree: Any) -> None:
        folder.commit(measured(name), 0, "", folder.write_partial(name, 0, tree))
        assert_same_tree(folder.partial(name, kind, 0), tree)

    check()


def test_paths_are_names_from_the_root() -> None:
    tree = Pair(np.ones(2), {"nmod/poss": np.ones(1), "größe": np.asarray(3.0)})
    assert [path for path, _ in leaves(tree)] == [
        ("one",),
        ("named", "nmod/poss"),
        ("named", "größe"),
    ]
    assert list(leaves(np.asarray(1))) == [((), np.asarray(1))]


def test_what_is_lacking_is_said() -> None:
    units = np.asarray(0)
    assert grown(SyntaxPartial, {("units",): units}) == SyntaxPartial(units, {})
    with pytest.raises(KeyError):
        grown(SyntaxPartial, {("units",): units, ("rows", "obj", "heads", "c"): units})
    with pytest.raises(KeyError):
        grown(SyntaxPartial, {})


U = ("units",)
OTHERS: list[list[tuple[str, ...]]] = [
    [(*U, "c")],
    [U, ("rows",)],
    [()],
    [U, ("rows", "obj", "heads")],
    [U, ("rows", "obj", "heads"), ("rows", "obj", "heads", "c")],
]


@pytest.mark.parametrize("places", OTHERS)
def test_leaves_of_another_type_are_refused(places: list[tuple[str, ...]]) -> None:
    with pytest.raises(KeyError):
        grown(SyntaxPartial, dict.fromkeys(places, np.asarray(0)))
