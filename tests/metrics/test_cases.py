"""The cases of predictors against the slow implementation, on random maps, and their bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnray.corpus.document import Document
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.metrics.base import Predictor
from attnray.metrics.coreference import Coreference
from attnray.metrics.gap import Gap
from attnray.metrics.predictions import RIGHT, bits, packed
from attnray.metrics.registry import METRICS
from attnray.metrics.rows import schema
from attnray.metrics.syntax import Syntax
from tests.builders import case_oracle
from tests.builders.cases import case_of, document_case
from tests.builders.oracle import Row
from tests.builders.passages import Draft, drafts, passages_of
from tests.builders.random_maps import (
    HEADS,
    LAYERS,
    MERGES,
    Attended,
    LetterPieces,
    attended,
    by_document,
    coreferent,
    found_in,
    segmented,
    texts,
)
from tests.builders.segmented import examples_of

pytestmark = pytest.mark.slow

SHARDS = st.integers(1, 3)


def cases_of(metric: Predictor, examples: Sequence[Attended], shards: int) -> list[Row]:
    """The cases of all shards, put together by example; each shard has its own in this order."""
    rows: list[Row] = []
    width = -(-LAYERS * HEADS * len(metric.directions) // 8)
    for shard in by_document(list(examples), shards):
        if shard:
            found = found_in(metric, shard).cases
            assert found is not None
            assert found.schema.equals(
                schema(metric.case).append(pa.field(RIGHT, pa.binary(width)))
            )
            of = found["example"].to_pylist()
            assert of == sorted(of)
            rows += found.to_pylist()
    return sorted(rows, key=lambda row: int(row["example"]))


@settings(max_examples=150)
@given(texts(), st.integers(0, 2**32), SHARDS, MERGES, st.sampled_from(["universal", "full"]))
def test_syntax(documents: list[Document], seed: int, shards: int, how: str, labels: str) -> None:
    examples = attended(segmented(documents, "sentence"), seed)
    found = cases_of(Syntax(how, labels), examples, shards)
    assert found == case_oracle.syntax_cases([case_of(*each) for each in examples], how)


@settings(max_examples=150)
@given(
    st.lists(coreferent(), min_size=1, max_size=9),
    st.integers(0, 2**32),
    SHARDS,
    MERGES,
    st.sampled_from(["mentions", "words"]),
)
def test_coreference(
    documents: list[Document], seed: int, shards: int, how: str, candidates: str
) -> None:
    documents = [Document(f"d{n}", d.sentences, d.mentions) for n, d in enumerate(documents)]
    examples = attended(segmented(documents, "document"), seed)
    found = cases_of(Coreference(512, how, candidates), examples, shards)
    cases = [
        document_case(document, example, attention, [document.id])
        for document, (example, attention) in zip(documents, examples, strict=True)
    ]
    assert found == case_oracle.coreference_cases(cases, 512, candidates, how)


@settings(max_examples=150)
@given(
    st.lists(drafts(), min_size=1, max_size=9),
    st.integers(0, 2**32),
    SHARDS,
    MERGES,
    st.sampled_from([16, 24, 512]),
)
def test_gap(drafted: list[Draft], seed: int, shards: int, how: str, cut: int) -> None:
    names = [f"d{number}" for number in range(len(drafted))]
    documents = [draft.document(name) for draft, name in zip(drafted, names, strict=True)]
    segmenter = Segmenter("document", LetterPieces(), 512, cut, Units(blocks=False), 0)  # type: ignore[arg-type]
    examples = attended(examples_of(segmenter, *documents), seed)
    cases = [
        document_case(document, example, attention, [document.id])
        for document, (example, attention) in zip(documents, examples, strict=True)
    ]
    expected = case_oracle.gap_cases(passages_of(drafted, cases, names), cases, cut, how)
    assert cases_of(Gap(cut, how), examples, shards) == expected


def test_these_are_all_the_predictors() -> None:
    kinds = {name for name, metric in METRICS.items() if issubclass(metric, Predictor)}
    assert kinds == {"syntax", "coreference", "gap"}


# Bits

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 5)) | st.tuples(
    st.integers(1, 3), st.integers(1, 4), st.just(2)
)


@given(st.integers(0, 7), SHAPES, st.integers(0, 2**32), st.integers(0, 7), st.integers(0, 7))
def test_bits_are_read_back(
    count: int, shape: tuple[int, ...], seed: int, first: int, last: int
) -> None:
    random = np.random.default_rng(seed)
    right = random.random((count, *shape)) < 0.5
    column = packed(right)
    assert column.to_pylist() == [case_oracle.in_bytes(each.ravel().tolist()) for each in right]
    flat = right.reshape(count, int(np.prod(shape)))
    for table in (
        pa.table({RIGHT: column}),
        pa.concat_tables([pa.table({RIGHT: packed(part)}) for part in np.array_split(right, 3)]),
    ):
        for candidate in range(flat.shape[1]):
            assert bits(table, candidate).tolist() == flat[:, candidate].tolist()
        each = random.integers(0, flat.shape[1], count)
        assert bits(table, each).tolist() == flat[np.arange(count), each].tolist()
        part = table.slice(first, last)
        assert bits(part, 0).tolist() == flat[first : first + last, 0].tolist()
        mask = random.random(count) < 0.5
        chosen = table.filter(pa.array(mask, pa.bool_()))
        assert bits(chosen, 0).tolist() == flat[mask, 0].tolist()


def test_no_case_has_no_bits() -> None:
    nothing = pa.table({RIGHT: pa.array([], pa.binary(3))})
    assert bits(nothing, 20).tolist() == []
    assert bits(nothing.slice(0, 0), np.zeros(0, np.int64)).dtype == bool
