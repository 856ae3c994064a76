"""An example: one model input with its annotation, and its form in a shard's Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.corpus.agreement import Attributes


@dataclass(frozen=True, slots=True)
class Antecedent:
    """A mention as the coreference metric needs it, in (start, end) order within its example.

    `start`, `end` and `head` are words of the example from 0; `type` is pronoun, proper or
    nominal; `unit` and `fold` are those of the sentence the head stands in. `number`, `gender`
    and `person` are those of the head, empty where unknown.
    """

    start: int
    end: int
    head: int
    entity: str
    type: str
    unit: int
    fold: int
    number: str = ""
    gender: str = ""
    person: str = ""

    @property
    def attributes(self) -> Attributes:
        """Number, gender and person."""
        return Attributes(self.number, self.gender, self.person)


@dataclass(frozen=True, slots=True)
class Example:
    """One model input.

    Over its pieces, special tokens included: `pieces` (ids), `tokens` (their spelling),
    `types`, `roles` (see `attnray.model.pieces.TokenRole`), `word_of_piece` (-1 for special
    tokens). Over its words: `words`, `heads` (0 root, -1 unknown), `relations`. `unit` numbers the
    document, or block of 20 sentences, that intervals and folds take it to belong to.
    """

    index: int
    document: str
    sentence: str
    unit: int
    fold: int
    batch: int
    pieces: NDArray[np.int32]
    tokens: list[str]
    types: NDArray[np.int8]
    roles: NDArray[np.int8]
    word_of_piece: NDArray[np.int32]
    words: list[str]
    heads: list[int]
    relations: list[str]
    mentions: list[Antecedent]

    @property
    def length(self) -> int:
        """How many tokens it has, special tokens included."""
        return len(self.pieces)

    @property
    def cells(self) -> int:
        """How many weights one head gives it."""
        return len(self.pieces) ** 2


_MENTION = pa.struct(
    [
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("head", pa.int32()),
        ("entity", pa.string()),
        ("type", pa.string()),
        ("unit", pa.int32()),
        ("fold", pa.int8()),
        ("number", pa.string()),
        ("gender", pa.string()),
        ("person", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("index", pa.int64()),
        ("document", pa.string()),
        ("sentence", pa.string()),
        ("unit", pa.int32()),
        ("fold", pa.int8()),
        ("batch", pa.int32()),
        ("pieces", pa.list_(pa.int32())),
        ("tokens", pa.list_(pa.string())),
        ("types", pa.list_(pa.int8())),
        ("roles", pa.list_(pa.int8())),
        ("word_of_piece", pa.list_(pa.int32())),
        ("words", pa.list_(pa.string())),
        ("heads", pa.list_(pa.int32())),
        ("relations", pa.list_(pa.string())),
        ("mentions", pa.list_(_MENTION)),
    ]
)
_ARRAYS = {"pieces": np.int32, "types": np.int8, "roles": np.int8, "word_of_piece": np.int32}


def to_table(examples: list[Example]) -> pa.Table:
    """The examples of a shard as the table its Parquet file holds."""
    columns: dict[str, Any] = {
        name: [getattr(example, name) for example in examples] for name in SCHEMA.names
    }
    columns["mentions"] = mentions_column(columns["mentions"])
    return pa.table(columns, schema=SCHEMA)


def mentions_column(mentions: Sequence[Sequence[Antecedent]]) -> pa.Array:
    """The column of each example's mentions."""
    flat = [mention for some in mentions for mention in some]
    fields = [pa.array([getattr(m, field.name) for m in flat], field.type) for field in _MENTION]
    values = pa.StructArray.from_arrays(fields, fields=[*_MENTION])
    return lists(values, [len(some) for some in mentions])


def lists(values: Any, lengths: Sequence[int]) -> pa.Array:
    """A column of lists of these lengths, from the values of all of them."""
    ends = np.cumsum([0, *lengths], dtype=np.int32)
    return pa.ListArray.from_arrays(ends, pa.array(values))


def from_table(table: pa.Table) -> list[Example]:
    """The examples of a shard, in the order in which its attention is stored.

    (Columns are taken apart as a whole: a shard has many examples.) Without the column `tokens`
    they have no spellings.
    """
    columns: dict[str, Any] = {"tokens": [[]] * len(table)}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if name in _ARRAYS:
            columns[name] = _arrays(column, _ARRAYS[name])
        elif name == "mentions":
            columns[name] = _mentions(column)
        else:
            columns[name] = column.to_pylist()
    rows = zip(*(columns[name] for name in SCHEMA.names), strict=True)
    return [Example(*row) for row in rows]


def _arrays(column: pa.ListArray, dtype: Any) -> list[NDArray[Any]]:
    """The lists of a column as parts of one array."""
    values = column.flatten().to_numpy().astype(dtype, copy=False)
    ends = column.offsets.to_numpy()
    return np.split(values, ends[1:-1] - ends[0])


def _mentions(column: pa.ListArray) -> list[list[Antecedent]]:
    found = column.flatten()
    fields = [found.field(name).to_pylist() for name in Antecedent.__slots__]
    whole = [Antecedent(*values) for values in zip(*fields, strict=True)]
    ends = (column.offsets.to_numpy() - column.offsets[0].as_py()).tolist()
    return [whole[start:end] for start, end in pairwise(ends)]
