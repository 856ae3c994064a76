"""Importance against the slow implementation, on random gradients in padded batches."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.corpus.document import Document
from attnray.corpus.example import Example
from attnray.metrics.base import merge
from attnray.metrics.importance import Importance, ImportanceSums
from tests.builders import oracle
from tests.builders.cases import assert_same_rows, case_of
from tests.builders.random_maps import HEADS, LAYERS, segmented, texts

Differentiated = tuple[Example, NDArray[np.float64]]


def padded(batch: list[Differentiated]) -> list[torch.Tensor]:
    """The gradients of a batch by layer; what stands in the padding must not matter."""
    longest = max(example.length for example, _ in batch)
    full = np.full((LAYERS, len(batch), HEADS, longest, longest), 7.0)
    for row, (example, gradient) in enumerate(batch):
        full[:, row, :, : example.length, : example.length] = gradient
    return list(torch.from_numpy(full))


@given(texts(), st.integers(0, 2**32), st.integers(1, 3), st.sampled_from(["sentence", "document"]))
def test_importance(documents: list[Document], seed: int, size: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    examples = [
        (e, random.normal(size=(LAYERS, HEADS, e.length, e.length)))
        for e in segmented(documents, kind)
    ]
    partials = []
    for first in range(0, len(examples), size):
        batch = examples[first : first + size]
        sums = ImportanceSums((LAYERS, HEADS))
        sums.add([example for example, _ in batch], padded(batch))
        partials.append(sums.partial())
    table = Importance().tables(merge(partials))["importance"]
    expected = oracle.importance([case_of(*each) for each in examples])
    assert_same_rows(table, expected, ("layer", "head", "target"))
