"""Partials as trees of arrays: adding them up, taking them apart, and putting them together.

A tree is an array, a dataclass of trees, or a dict of trees by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Array = NDArray[Any]
#: The names that lead from the root of a tree to an array.
Path = tuple[str, ...]


def merge(trees: Iterable[T]) -> T:
    """Add trees up, two by two in the order given: the same bits every time.

    Of dicts the result has every name. Holds no more than one tree per level of the adding.
    """
    levels: list[tuple[int, T]] = []
    for tree in trees:
        levels.append((1, tree))
        while len(levels) > 1 and levels[-1][0] == levels[-2][0]:
            _fold(levels)
    while len(levels) > 1:
        _fold(levels)
    return levels[0][1]


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
    tree: T = _grown(kind, arrays)
    return tree


def _fold(levels: list[tuple[int, T]]) -> None:
    """Replace the last two of a list of (number of trees, sum) by their sum."""
    (right_size, right), (left_size, left) = levels.pop(), levels.pop()
    levels.append((left_size + right_size, _added(left, right)))


def _added(left: Any, right: Any) -> Any:
    if isinstance(left, Mapping):
        both = {name: _added(left[name], right[name]) for name in left if name in right}
        return {**left, **right, **both}
    if is_dataclass(left) and not isinstance(left, type):
        names = [field.name for field in fields(left)]
        branches = {name: _added(getattr(left, name), getattr(right, name)) for name in names}
        return replace(left, **branches)
    return np.asarray(left + right)


def _grown(kind: Any, arrays: Mapping[Path, Array]) -> Any:
    if get_origin(kind) is dict:
        names = dict.fromkeys(path[0] for path in arrays)
        return {name: _grown(get_args(kind)[1], _under(name, arrays)) for name in names}
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        branches = {f.name: _grown(hints[f.name], _under(f.name, arrays)) for f in fields(kind)}
        return kind(**branches)  # type: ignore[operator]
    return arrays[()]


def _under(name: str, arrays: Mapping[Path, Array]) -> dict[Path, Array]:
    return {path[1:]: array for path, array in arrays.items() if path[0] == name}
