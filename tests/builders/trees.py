"""Partials side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from attnray.metrics.tree import Array, Path, grown, leaves, merge

T = TypeVar("T")


def assert_same_tree(found: Any, expected: Any) -> None:
    """The same arrays at the same places, each of the same type and shape, to the last bit."""
    ours, theirs = list(leaves(found)), list(leaves(expected))
    assert [path for path, _ in ours] == [path for path, _ in theirs]
    for (path, one), (_, other) in zip(ours, theirs, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), path
        assert one.tobytes() == other.tobytes(), path


def merged(trees: Iterable[T]) -> T:
    """The sum of trees of one type."""
    kinds: set[type[T]] = set()

    def parts() -> Iterator[dict[Path, Array]]:
        for tree in trees:
            kinds.add(type(tree))
            yield dict(leaves(tree))

    total = merge(parts())
    (kind,) = kinds
    return grown(kind, total)
