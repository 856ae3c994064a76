"""Syntax, shard by shard: whether each head predicts each word's syntactic head."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.base import Heads
from attnray.metrics.groups import Group
from attnray.metrics.kernels import kernels
from attnray.metrics.predictions import RIGHT, Bits, packed
from attnray.metrics.rows import table_of
from attnray.metrics.syntax import DIRECTIONS, Syntax, SyntaxCase, SyntaxPartial


class SyntaxSums:
    """Right or wrong for every case of a shard, cases in the order of its examples."""

    def __init__(self, metric: Syntax, examples: Sequence[Example], heads: Heads) -> None:
        self._metric = metric
        self._examples = examples
        counts = []
        words, governors = [], []
        for example in examples:
            head = np.array(example.heads, np.int64)
            found = np.flatnonzero((head > 0) & np.array([bool(r) for r in example.relations]))
            counts.append(len(found))
            words.append(found)
            governors.append(head[found] - 1)
        self._ends = np.concatenate([[0], np.cumsum(np.array(counts, np.int64))])
        self._word = np.concatenate([np.empty(0, np.int64), *words])
        self._head = np.concatenate([np.empty(0, np.int64), *governors])
        self._right: Bits = np.zeros((len(self._word), *heads, len(DIRECTIONS)), bool)
        self._pending = Pending()

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        start, end = self._ends[group.first], self._ends[group.end]
        if start == end:
            return

        def take(right: Bits) -> None:
            self._right[start:end, layers] = right

        ends = self._ends[group.first : group.end + 1] - start
        cases = (ends, self._word[start:end], self._head[start:end])
        predicted = kernels(maps.device).heads_predicted
        self._pending.put(predicted(maps, group, *cases, self._metric.merge), take)

    def partial(self) -> SyntaxPartial:
        """See `Accumulator.partial`."""
        self._pending.finish()
        units = len({example.unit for example in self._examples})
        return self._metric.sums(self._table, self._right, units)

    def cases(self) -> pa.Table:
        """See `Accumulator.cases`."""
        self._pending.finish()
        table = self._table.append_column(RIGHT, packed(self._right))
        return table.sort_by([("example", "ascending"), ("word", "ascending")])

    @cached_property
    def _table(self) -> pa.Table:
        counts = np.diff(self._ends)
        of = np.repeat(np.arange(len(counts)), counts)
        found = [self._examples[place] for place in of.tolist()]
        words = self._word.tolist()

        def spread(values: list[int]) -> np.ndarray:
            return np.array(values, np.int64)[of]

        return table_of(
            SyntaxCase,
            {
                "document": [example.document for example in found],
                "example": spread([example.index for example in self._examples]),
                "word": self._word,
                "head_word": self._head,
                "relation": [e.relations[w] for e, w in zip(found, words, strict=True)],
                "distance": self._head - self._word,
                "unit": spread([example.unit for example in self._examples]),
                "fold": spread([example.fold for example in self._examples]),
            },
        )
