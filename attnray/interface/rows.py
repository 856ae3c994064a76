"""The rows of a run's tables that have some values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from attnray.metrics import rows as row_types

if TYPE_CHECKING:
    from attnray.interface.opened import Run

R = TypeVar("R")


def chosen(run: Run, name: str, **values: object) -> pa.Table | None:
    """The rows of the run's own model with these values; None where it has no such table."""
    if name not in run.tables:
        return None
    table = run.table(name)
    for column, value in {"model": run.model, **values}.items():
        table = table.filter(pc.equal(table[column], value))
    return table


def dicts(run: Run, name: str, **values: object) -> list[dict[str, Any]]:
    """The same, each by its columns; none where there is no such table."""
    table = chosen(run, name, **values)
    return [] if table is None else table.to_pylist()


def objects(kind: type[R], run: Run, name: str, **values: object) -> list[R]:
    """The same as objects of their type."""
    table = chosen(run, name, **values)
    return [] if table is None else row_types.rows_of(kind, table)
