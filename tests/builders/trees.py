"""Partials side by side."""

from __future__ import annotations

from typing import Any

from attnray.metrics.tree import leaves


def assert_same_tree(found: Any, expected: Any) -> None:
    """The same arrays at the same places, each of the same type and shape, to the last bit."""
    ours, theirs = list(leaves(found)), list(leaves(expected))
    assert [path for path, _ in ours] == [path for path, _ in theirs]
    for (path, one), (_, other) in zip(ours, theirs, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), path
        assert one.tobytes() == other.tobytes(), path
