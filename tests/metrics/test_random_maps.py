"""The metrics against the slow implementation, on random maps with ties and split words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnray.corpus.document import Document
from attnray.corpus.units import fold_of
from attnray.metrics.coreference import Coreference
from attnray.metrics.patterns import Patterns
from attnray.metrics.syntax import Syntax
from tests.builders import oracle
from tests.builders.cases import assert_same_rows, case_of, document_case
from tests.builders.random_maps import (
    MERGES,
    attended,
    by_document,
    coreferent,
    segmented,
    texts,
    total,
)

pytestmark = pytest.mark.slow


@given(texts(), st.integers(0, 2**32), st.integers(1, 3))
def test_patterns(documents: list[Document], seed: int, shards: int) -> None:
    examples = attended(segmented(documents, "sentence"), seed)
    metric = Patterns()
    tables = metric.tables(total(metric, by_document(examples, shards)))
    expected = oracle.patterns([case_of(*each) for each in examples])
    assert_same_rows(tables["patterns"], expected, ("layer", "head", "pattern"))


@settings(max_examples=150)
@given(texts(), st.integers(0, 2**32), st.integers(1, 3), MERGES, st.booleans())
def test_syntax(documents: list[Document], seed: int, shards: int, how: str, full: bool) -> None:
    examples = attended(segmented(documents, "sentence"), seed)
    labels = "full" if full else "universal"
    metric = Syntax(how, labels)
    tables = metric.tables(total(metric, by_document(examples, shards)))
    cases = [case_of(*each) for each in examples]
    units = {document.id for document in documents}
    if not any(head > 0 for case in cases for head in case.heads):
        return
    key = ("layer", "head", "direction", "relation")
    assert_same_rows(tables["syntax"], oracle.syntax(cases, labels, how), key)
    baselines = oracle.syntax_baselines(cases, labels)
    assert_same_rows(tables["syntax_baselines"], baselines, ("relation", "offset"))
    best = oracle.syntax_best(cases, units, labels, how)
    assert_same_rows(tables["syntax_best"], best, ("relation",))
    gains = oracle.syntax_gains(cases, units, labels, how)
    assert_same_rows(tables["syntax_gains"], gains, ("relation", "layer", "head"))


@settings(max_examples=150)
@given(
    st.lists(coreferent(), min_size=1, max_size=9),
    st.integers(0, 2**32),
    MERGES,
    st.sampled_from(["mentions", "words"]),
)
def test_coreference(documents: list[Document], seed: int, how: str, candidates: str) -> None:
    documents = [Document(f"d{n}", d.sentences, d.mentions) for n, d in enumerate(documents)]
    examples = attended(segmented(documents, "document"), seed)
    metric = Coreference(512, how, candidates)
    tables = metric.tables(total(metric, by_document(examples, 2)))
    cases = [
        document_case(document, example, attention, [document.id])
        for document, (example, attention) in zip(documents, examples, strict=True)
    ]
    key = ("layer", "head", "mention_type")
    expected = oracle.coreference(cases, 512, candidates, how)
    assert_same_rows(tables["coreference"], expected, key)
    best = oracle.coreference_best(cases, 512, candidates, how)
    assert_same_rows(tables["coreference_best"], best, ("mention_type",))
    gains = oracle.coreference_gains(cases, 512, candidates, how)
    assert_same_rows(tables["coreference_gains"], gains, ("mention_type", "layer", "head"))
    baselines = oracle.coreference_baselines(cases, 512)
    assert_same_rows(tables["coreference_baselines"], baselines, ("baseline", "mention_type"))


def test_the_folds_are_those_of_the_definition() -> None:
    names = [f"document {n}" for n in range(100)]
    assert [fold_of(name) for name in names] == [oracle.fold_of(name) for name in names]
