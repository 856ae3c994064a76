"""Drafts of examples, and all those of a shard at once to the columns of its Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from attnray.corpus.example import SCHEMA, Antecedent, lists, mentions_column
from attnray.corpus.texts import Text
from attnray.model.pieces import Layout, WordPieces


class Draft(NamedTuple):
    """An example whose tokens are not laid out yet.

    `whole` has the words of all its `texts`; `length` counts its tokens, special ones included.
    """

    document: str
    sentence: str
    unit: int
    fold: int
    layout: Layout
    texts: Sequence[Text]
    whole: Text
    mentions: list[Antecedent]
    length: int

    @property
    def cells(self) -> int:
        """How many weights one head gives it."""
        return self.length**2


def to_table(
    drafts: Sequence[Draft],
    indices: Sequence[int],
    batches: Sequence[int],
    word_pieces: WordPieces,
) -> pa.Table:
    """The table of a shard that has these drafts in this order."""
    whole = [draft.whole for draft in drafts]
    words = [len(text.words) for text in whole]
    columns = {
        "index": indices,
        "document": [draft.document for draft in drafts],
        "sentence": [draft.sentence for draft in drafts],
        "unit": [draft.unit for draft in drafts],
        "fold": [draft.fold for draft in drafts],
        "batch": batches,
        **_of_tokens(drafts, word_pieces),
        "words": lists(_flat(text.words for text in whole), words),
        "heads": lists(np.array(_flat(text.heads for text in whole), np.int32), words),
        "relations": lists(_flat(text.relations for text in whole), words),
        "mentions": mentions_column([draft.mentions for draft in drafts]),
    }
    return pa.table(columns, schema=SCHEMA)


def numbered(table: pa.Table, example: int, unit: int) -> pa.Table:
    """A shard's table with its examples and units numbered on from these."""
    columns = dict(zip(table.column_names, table.columns, strict=True))
    mentions = table["mentions"].combine_chunks()
    kind = mentions.type.value_type
    fields = {field.name: mentions.values.field(field.name) for field in kind}
    fields["unit"] = _added(fields["unit"], unit)
    values = pa.StructArray.from_arrays([*fields.values()], fields=[*kind])
    columns["mentions"] = pa.ListArray.from_arrays(mentions.offsets, values)
    columns["index"] = _added(columns["index"], example)
    columns["unit"] = _added(columns["unit"], unit)
    return pa.table(columns, schema=SCHEMA)


def _added(values: pa.Array, number: int) -> pa.Array:
    return pc.add_checked(values, pa.scalar(number, values.type))


def _of_tokens(drafts: Sequence[Draft], word_pieces: WordPieces) -> dict[str, pa.Array]:
    """The columns over tokens; those between words are laid out as words of the number -1."""
    split: list[list[int]] = []
    numbers: list[int] = []
    types: list[int] = []
    for draft in drafts:
        layout, start = draft.layout, 0
        ends = [*[layout.between] * (len(draft.texts) - 1), layout.after]
        split.append(layout.before)
        numbers.append(-1)
        types.append(layout.types[0])
        for text, kind, end in zip(draft.texts, layout.types, ends, strict=False):
            split += text.pieces
            split.append(end)
            numbers += range(start, start + len(text.words))
            numbers.append(-1)
            types += [kind] * (len(text.words) + 1)
            start += len(text.words)
    sizes = np.fromiter(map(len, split), np.int64, len(split))
    pieces = np.fromiter(chain.from_iterable(split), np.int32, sizes.sum())
    owners = np.repeat(np.array(numbers, np.int32), sizes)
    lengths = [draft.length for draft in drafts]
    return {
        "pieces": lists(pieces, lengths),
        "tokens": lists(word_pieces.spelled(pieces), lengths),
        "types": lists(np.repeat(np.array(types, np.int8), sizes), lengths),
        "roles": lists(word_pieces.roles(pieces, owners < 0), lengths),
        "word_of_piece": lists(owners, lengths),
    }


def _flat(each: Iterable[list[Any]]) -> list[Any]:
    return list(chain.from_iterable(each))
