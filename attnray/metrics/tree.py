"""Partials as trees of arrays: adding them up, taking them apart, and putting them together.

A tree is an array, a dataclass of trees, or a dict of trees by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Array = NDArray[Any]
#: The names that lead from the root of a tree to an array.
Path = tuple[str, ...]
#: The arrays of a tree.
Leaves = dict[Path, Array]


def merge(parts: Iterable[Mapping[Path, Array]]) -> Leaves:
    """Add up the leaves of trees: the same bits every time.

    The sum has every place that a tree has. Integers are exact in any order, and are added to one
    sum; floats two by two in the order given, for which no more is held than those of one tree for
    each level of the adding. So blocks of 2, 4, 8, … trees, the last of which may have fewer, can
    be added up each, wherever, and then their sums.
    """
    places: dict[Path, None] = {}
    exact: dict[Path, Array] = {}
    levels: list[tuple[int, Leaves]] = []
    for part in parts:
        places.update(dict.fromkeys(part))
        inexact = {}
        for place, array in part.items():
            if array.dtype.kind != "i":
                inexact[place] = array
            elif place in exact:
                exact[place] += array
            else:
                exact[place] = array.astype(np.int64)
        levels.append((1, inexact))
        while len(levels) > 1 and levels[-1][0] == levels[-2][0]:
            _fold(levels)
    while len(levels) > 1:
        _fold(levels)
    total = exact | levels[0][1]
    return {place: total[place] for place in places}


def leaves(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Array]]:
    """Every array of a tree with its path, in order."""
    if isinstance(tree, Mapping):
        branches = list(tree.items())
    elif is_dataclass(tree):
        branches = [(field.name, getattr(tree, field.name)) for field in fields(tree)]
    else:
        yield path, np.asarray(tree)
        return
    for name, branch in branches:
        yield from leaves(branch, (*path, name))


def grown(kind: type[T], arrays: Mapping[Path, Array]) -> T:
    """The tree of a type that has these leaves.

    Raises:
        KeyError: the type has an array that is not among them.
    """
    tree: T = _grown(kind, _nested(arrays))
    return tree


def _fold(levels: list[tuple[int, Leaves]]) -> None:
    """Replace the last two of a list of (number of trees, sum) by their sum."""
    (right_size, right), (left_size, left) = levels.pop(), levels.pop()
    both = {place: np.asarray(left[place] + right[place]) for place in left if place in right}
    levels.append((left_size + right_size, {**left, **right, **both}))


def _nested(arrays: Mapping[Path, Array]) -> Any:
    """The leaves by name, those of a branch under that of the branch."""
    if () in arrays:
        return arrays[()]
    root: dict[str, Any] = {}
    for place, array in arrays.items():
        branch = root
        for name in place[:-1]:
            branch = branch.setdefault(name, {})
            if not isinstance(branch, dict):
                raise KeyError(place)
        branch[place[-1]] = array
    return root


def _grown(kind: Any, branch: Any) -> Any:
    named, whole = get_origin(kind) is dict, is_dataclass(kind)
    if (named or whole) != isinstance(branch, dict):
        raise KeyError(())
    if named:
        return {name: _grown(get_args(kind)[1], each) for name, each in branch.items()}
    if whole:
        kinds = _fields(kind)
        return kind(**{n: _grown(k, branch.get(n, {})) for n, k in kinds.items()})
    return branch


@lru_cache
def _fields(kind: type) -> dict[str, Any]:
    """The branches of a dataclass, each with its type."""
    return get_type_hints(kind)
