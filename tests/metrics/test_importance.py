"""Importance against the slow implementation, on random gradients in padded batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.corpus.document import Document
from attnray.corpus.example import Example
from attnray.metrics.analysis import analyse
from attnray.metrics.importance import Importance, ImportancePartial
from attnray.model.masked_lm import MaskedLM
from attnray.stages.differentiate import Gradients
from tests.builders import oracle
from tests.builders.cases import assert_same_rows, case_of
from tests.builders.random_maps import HEADS, LAYERS, segmented, texts
from tests.builders.trees import merged

Differentiated = tuple[Example, NDArray[np.float64]]


class GivenGradients:
    """Stands for a masked LM; what it gives in the padding must not matter."""

    layers, heads = LAYERS, HEADS

    def __init__(self, shard: Sequence[Differentiated]) -> None:
        self._left = [gradient for _, gradient in shard]

    def gradients(self, pieces: Sequence[Any], types: Sequence[Any]) -> list[torch.Tensor]:
        """See `MaskedLM.gradients`."""
        batch = [self._left.pop(0) for _ in pieces]
        longest = max(gradient.shape[-1] for gradient in batch)
        full = np.full((LAYERS, len(batch), HEADS, longest, longest), 7.0)
        for row, gradient in enumerate(batch):
            length = gradient.shape[-1]
            full[:, row, :, :length, :length] = gradient
        return list(torch.from_numpy(full))


def partial_of(shard: Sequence[Differentiated]) -> ImportancePartial:
    examples = [example for example, _ in shard]
    model = cast(MaskedLM, GivenGradients(shard))
    (found,) = analyse([Importance()], examples, Gradients(model, examples))
    assert isinstance(found.partial, ImportancePartial)
    assert found.cases is None
    return found.partial


@given(
    texts(),
    st.integers(0, 2**32),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["sentence", "document"]),
)
def test_importance(
    documents: list[Document], seed: int, size: int, shards: int, kind: str
) -> None:
    random = np.random.default_rng(seed)
    examples = [
        (replace(e, batch=n // size), random.normal(size=(LAYERS, HEADS, e.length, e.length)))
        for n, e in enumerate(segmented(documents, kind))
    ]
    parts = [examples[first::shards] for first in range(shards)]
    table = Importance().tables(merged(partial_of(part) for part in parts if part))["importance"]
    expected = oracle.importance([case_of(*each) for each in examples])
    assert_same_rows(table, expected, ("layer", "head", "target"))
