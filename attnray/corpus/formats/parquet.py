"""Reading Parquet, which is also what the datasets of the Hugging Face hub consist of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attnray.corpus.bounds import cut
from attnray.corpus.document import Document
from attnray.corpus.files.lines import regular, unreadable
from attnray.corpus.formats.rows import FIELDS, UPOS, XPOS, Row, documents
from attnray.errors import InputError

#: How many rows are in memory at a time.
BATCH = 16


def read_parquet(path: str, language: str = "en") -> Iterator[Document]:
    """The documents of a file: see `rows.documents` for its columns.

    Args:
        path: the file.
        language: what the sentence splitter takes a `text` for, as an ISO 639 code.

    Raises:
        InputError: with file and row, what cannot be read and what it should be.
    """
    return documents(path, parquet_rows(path), language)


def parquet_rows(path: str) -> Iterator[Row]:
    """The rows of a file, with the columns that we read; numbers of tags have become names.

    Raises:
        InputError: it cannot be read, is not Parquet, or has none of the columns.
    """
    regular(path)
    try:
        with pq.ParquetFile(path) as file:
            yield from _rows(path, file)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise unreadable(path, error) from error
        reason = cut(str(error).strip().split("\n", 1)[0].rstrip(".: "))
        raise InputError(f"{path}: not Parquet, or damaged ({reason}); get it again") from error


def _rows(path: str, file: pq.ParquetFile) -> Iterator[Row]:
    columns = [name for name in file.schema_arrow.names if name in FIELDS]
    if not columns:
        has = cut(", ".join(file.schema_arrow.names))
        raise InputError(f"{path}: its columns are {has}; give text, words or tokens")
    names = {name: _class_names(file.schema_arrow, name) for name in (*UPOS, *XPOS)}
    number = 0
    for batch in file.iter_batches(BATCH, columns=columns):
        for fields in batch.to_pylist():
            number += 1
            for column, classes in names.items():
                if classes and isinstance(fields.get(column), list):
                    fields[column] = [_named(value, classes) for value in fields[column]]
            yield Row(f"{path}: row {number}", fields)


def _class_names(schema: pa.Schema, column: str) -> list[str]:
    """The names behind the numbers of a column of Hugging Face's class labels, if it is one."""
    try:
        feature = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][column]
        while not isinstance(feature.get("names") if isinstance(feature, dict) else None, list):
            feature = feature[0] if isinstance(feature, list) else feature["feature"]
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        return []
    return list(feature["names"])


def _named(value: Any, names: list[str]) -> Any:
    return names[value] if type(value) is int and 0 <= value < len(names) else value
