"""Partials as tables: one row for each array of the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from attnray.errors import IncompleteRun
from attnray.metrics.tree import grown, leaves

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


def from_partial(kind: Any, table: pa.Table, path: Path) -> Any:
    """The tree of a type that a table holds; `path` is where it was read.

    Raises:
        IncompleteRun: it holds another one.
    """
    try:
        return grown(kind, dict(_arrays(table)))
    except (KeyError, ValueError) as error:
        raise IncompleteRun(
            f"{path}: damaged ({error}); delete it and start its run again"
        ) from error


def _arrays(table: pa.Table) -> Any:
    paths, shapes = table["path"].to_pylist(), table["shape"].to_pylist()
    for row, (path, shape) in enumerate(zip(paths, shapes, strict=True)):
        integers, floats = table["integers"][row], table["floats"][row]
        values = floats.values if integers.values is None else integers.values
        yield tuple(path), values.to_numpy(zero_copy_only=False).reshape(shape)
