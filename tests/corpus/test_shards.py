"""Shards hold whole units; batches stay under their budget."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attnray.config import BatchConfig, ShardConfig
from attnray.corpus.example import Antecedent, Example
from attnray.corpus.shards import shards


def example(index: int, unit: int, length: int, last_unit: int | None = None) -> Example:
    none = np.zeros(length, np.int32)
    mentions = [] if last_unit is None else [Antecedent(0, 0, 0, "e", "proper", last_unit, 0)]
    return Example(index, "d", "", unit, 0, -1, none, [], none, none, none, [], [], [], mentions)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(2, 30)), min_size=1, max_size=60),
    st.integers(1, 10),
    st.integers(4, 2000),
    st.integers(2, 60),
    st.integers(4, 900),
)
def test_every_example_once_in_whole_units_and_bounded_batches(
    steps: list[tuple[int, int]], most: int, cells: int, tokens: int, batch_cells: int
) -> None:
    units = np.cumsum([step for step, _ in steps]).tolist()
    examples = [example(i, u, n) for i, (u, (_, n)) in enumerate(zip(units, steps, strict=True))]
    limits, batches = ShardConfig(most, cells), BatchConfig(tokens, batch_cells)
    cut = list(shards(examples, limits, batches))
    assert sorted(e.index for shard in cut for e in shard) == list(range(len(examples)))
    unit_sets = [{e.unit for e in shard} for shard in cut]
    assert sum(map(len, unit_sets)) == len(set(units)), "a unit is in two shards"
    for shard in cut:
        assert [e.length for e in shard] == sorted(e.length for e in shard)
        for _, group in groupby(shard, key=lambda e: e.batch):
            batch = list(group)
            longest = batch[-1].length
            within = len(batch) * longest <= tokens and len(batch) * longest**2 <= batch_cells
            assert within or len(batch) == 1


def test_a_shard_ends_soon_after_it_is_full() -> None:
    examples = [example(i, i // 3, 4) for i in range(30)]
    sizes = [len(s) for s in shards(examples, ShardConfig(7, 10**9), BatchConfig(512, 10**9))]
    assert sizes == [9, 9, 9, 3]


def test_a_block_of_sentences_that_spans_documents_stays_together() -> None:
    examples = [example(0, 0, 4, last_unit=2), example(1, 2, 4, last_unit=3), example(2, 4, 4)]
    sizes = [len(s) for s in shards(examples, ShardConfig(1, 10**9), BatchConfig(512, 10**9))]
    assert sizes == [2, 1]
