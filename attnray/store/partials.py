"""Partials as Parquet: one row per named array."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from attnray.errors import IncompleteRun, describe
from attnray.metrics.sums import Partial
from attnray.store.folder import read_table, write_table

_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("integers", pa.list_(pa.int64())),
        ("floats", pa.list_(pa.float64())),
    ]
)


def write_partial(path: Path, partial: Partial) -> None:
    """Write a partial, whole or not at all."""
    arrays = {name: np.asarray(array) for name, array in partial.items()}
    exact = [np.issubdtype(array.dtype, np.integer) for array in arrays.values()]
    flat = [array.ravel() for array in arrays.values()]
    columns = {
        "name": list(arrays),
        "shape": [list(array.shape) for array in arrays.values()],
        "integers": [a if integer else None for a, integer in zip(flat, exact, strict=True)],
        "floats": [None if integer else a for a, integer in zip(flat, exact, strict=True)],
    }
    write_table(path, pa.table(columns, schema=_SCHEMA))


def read_partial(path: Path) -> Partial:
    """Read a partial.

    Raises:
        IncompleteRun: it is missing or damaged.
    """
    try:
        table = read_table(path)
    except (OSError, pa.ArrowException) as error:
        reason = describe(error)
        raise IncompleteRun(
            f"{path}: missing or damaged ({reason}); delete it and start its run again"
        ) from error
    partial: Partial = {}
    for row, (name, shape) in enumerate(
        zip(table["name"].to_pylist(), table["shape"].to_pylist(), strict=True)
    ):
        integers, floats = table["integers"][row], table["floats"][row]
        values = floats.values if integers.values is None else integers.values
        partial[name] = values.to_numpy(zero_copy_only=False).reshape(shape)
    return partial
