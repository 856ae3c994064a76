"""Examples and their attention as the slow implementation takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.corpus.document import Document
from attnray.corpus.example import Example
from attnray.model.pieces import TokenRole
from tests.builders.oracle import Case, Row


def case_of(example: Example, attention: NDArray[np.float64], blocks: bool = False) -> Case:
    """A sentence or pair, in units of documents or of blocks."""
    return Case(
        attention=attention,
        word_of_piece=example.word_of_piece.tolist(),
        words=example.words,
        is_cls=(example.roles == TokenRole.CLS).tolist(),
        is_sep=(example.roles == TokenRole.SEP).tolist(),
        is_punctuation=(example.roles == TokenRole.PUNCTUATION).tolist(),
        heads=example.heads,
        relations=example.relations,
        unit=f"block-{example.unit + 1}" if blocks else example.document,
    )


def document_case(
    document: Document, example: Example, attention: NDArray[np.float64], unit_of: Sequence[str]
) -> Case:
    """A cut document, its annotation taken from the corpus; `unit_of` names sentences' units."""
    case = case_of(example, attention)
    kept = len(example.words)
    heads: list[int] = []
    for sentence in document.sentences:
        first = len(heads)
        heads += [head + first if head > 0 else head for head in sentence.heads]
    case.heads = heads[:kept]
    case.upos = [tag for sentence in document.sentences for tag in sentence.upos][:kept]
    case.xpos = [tag for sentence in document.sentences for tag in sentence.xpos][:kept]
    case.feats = [each for sentence in document.sentences for each in sentence.feats][:kept]
    case.mentions = [(m.start, m.end, m.entity) for m in document.mentions if m.end < kept]
    case.unit_of_word = [
        unit
        for sentence, unit in zip(document.sentences, unit_of, strict=True)
        for _ in sentence.words
    ][:kept]
    return case


def assert_same_rows(table: pa.Table, expected: Iterable[Row], key: Sequence[str]) -> None:
    """Every row of both, matched by key: counts and names exactly, numbers within 1e-6."""
    found = _by_key(
        table.drop_columns([c for c in ("model", "corpus") if c in table.column_names]).to_pylist(),
        key,
    )
    wanted = _by_key(expected, key)
    assert found.keys() == wanted.keys()
    for name, row in wanted.items():
        assert found[name].keys() == row.keys()
        for column, value in row.items():
            _assert_same(found[name][column], value, f"{column} of {name}")


def _assert_same(found: Any, value: Any, where: str) -> None:
    if isinstance(value, float) and found is not None:
        assert abs(found - value) <= 1e-6, f"{where}: {found} is not {value}"
    else:
        assert found == value, f"{where}: {found} is not {value}"


def _by_key(rows: Iterable[Row], key: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[column] for column in key): row for row in rows}
