"""Partials as tables: one row for each array of the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from attnray.errors import IncompleteRun
from attnray.metrics.tree import Array, grown, leaves
from attnray.metrics.tree import Path as Place

_SCHEMA = pa.schema(
    [
        ("path", pa.list_(pa.string())),
        ("shape", pa.list_(pa.int64())),
        ("integers", pa.list_(pa.int64())),
        ("floats", pa.list_(pa.float64())),
    ]
)


def to_partial(tree: Any) -> pa.Table:
    """The table of a tree of arrays of integers or of floats."""
    found = list(leaves(tree))
    exact = [np.issubdtype(array.dtype, np.integer) for _, array in found]
    flat = [array.ravel() for _, array in found]
    columns = {
        "path": [list(path) for path, _ in found],
        "shape": [list(array.shape) for _, array in found],
        "integers": [a if integer else None for a, integer in zip(flat, exact, strict=True)],
        "floats": [None if integer else a for a, integer in zip(flat, exact, strict=True)],
    }
    return pa.table(columns, schema=_SCHEMA)


def from_partial(kind: Any, table: pa.Table, where: str) -> Any:
    """The tree of a type that a table holds; `where` says where it was read.

    Raises:
        IncompleteRun: it holds another one.
    """
    return grown(kind, checked(kind, table, where))


def checked(kind: Any, table: pa.Table, where: str) -> dict[Place, Array]:
    """The leaves of a tree of a type that a table holds; `where` says where it was read.

    Raises:
        IncompleteRun: it holds another one.
    """
    try:
        arrays = dict(_arrays(table))
        _check(kind, tuple(arrays))
    except (KeyError, ValueError) as error:
        raise IncompleteRun(
            f"{where}: of another kind ({error}): attnray is not the one that made it; start the "
            "run again"
        ) from error
    return arrays


@lru_cache(64)
def _check(kind: Any, places: tuple[Place, ...]) -> None:
    """Refuse leaves of another type. (Those of most shards lie at the same places.)"""
    grown(kind, dict.fromkeys(places, np.zeros(0)))


def _arrays(table: pa.Table) -> Iterator[tuple[Place, Array]]:
    """Each array with its place; all are views of the two columns of values."""
    names, integers, floats = (_lists(table[name]) for name in ("path", "integers", "floats"))
    exact = table["integers"].is_valid().to_pylist()
    for row, (shape, integer) in enumerate(zip(table["shape"].to_pylist(), exact, strict=True)):
        values = (integers if integer else floats)(row)
        yield tuple(names(row)), values.reshape(shape)


def _lists(column: pa.ChunkedArray) -> Callable[[int], Any]:
    """Gives the list of a row, as an array of numbers or a list of texts."""
    lists = column.combine_chunks()
    ends = lists.offsets.to_pylist()
    texts = pa.types.is_string(lists.values.type)
    values = lists.values.to_pylist() if texts else lists.values.to_numpy(zero_copy_only=False)
    return lambda row: values[ends[row] : ends[row + 1]]
