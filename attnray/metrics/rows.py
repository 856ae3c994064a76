"""Row types: a dataclass for each table gives its schema, its columns in words, and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

import pyarrow as pa

R = TypeVar("R")

Rows = Iterable[Mapping[str, object]]
Columns = Mapping[str, Any]

_TYPES = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    list[int]: pa.list_(pa.int64()),
}

#: The columns with which every table of a run or a comparison begins.
MODEL_AND_CORPUS = (("model", pa.string()), ("corpus", pa.string()))


def schema(row: type[Any]) -> pa.Schema:
    """The columns of a row type in order: integers, floats and strings, any of them nullable."""
    hints = get_type_hints(row)
    return pa.schema([(field.name, _type(hints[field.name])) for field in fields(row)])


def whole_schema(row: type[Any]) -> pa.Schema:
    """The columns of a row type behind the model and the corpus, as in a table on disk."""
    return pa.schema([*MODEL_AND_CORPUS, *schema(row)])


def of_model(table: pa.Table, model: str, corpus: str) -> pa.Table:
    """The table behind the model and the corpus."""
    for position, (name, value) in enumerate({"model": model, "corpus": corpus}.items()):
        table = table.add_column(position, name, pa.array([value] * len(table), pa.string()))
    return table


def table_of(
    row: type[Any], content: Iterable[Mapping[str, object]] | Mapping[str, Any]
) -> pa.Table:
    """A table of rows given by column name, or of whole columns; what a row lacks is null."""
    if isinstance(content, Mapping):
        return pa.table(content, schema=schema(row))
    return pa.Table.from_pylist(list(content), schema=schema(row))


def rows_of(row: type[R], table: pa.Table) -> list[R]:
    """The rows of a table as objects, columns that the type does not have left aside."""
    return [row(**values) for values in table.select(schema(row).names).to_pylist()]


def _type(hint: Any) -> pa.DataType:
    if isinstance(hint, UnionType):
        (hint,) = {*get_args(hint)} - {type(None)}
    return _TYPES[hint]
