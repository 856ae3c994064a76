"""Ambiguous pronouns, shard by shard: which heads choose the right name in each passage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pyarrow as pa
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.antecedents import Answers
from attnray.metrics.antecedents import Chooser, columns_of
from attnray.metrics.base import Heads
from attnray.metrics.gap import Gap, GapPartial, PronounCase, ambiguous, gender_of
from attnray.metrics.groups import Group
from attnray.metrics.predictions import RIGHT, packed
from attnray.metrics.rows import table_of


class GapSums:
    """Whether each head chooses the right name in each passage of a shard, then summed."""

    def __init__(self, metric: Gap, examples: Sequence[Example], heads: Heads) -> None:
        self._metric = metric
        self._left_out = 0
        self._pronouns: list[Chooser] = []
        for place, example in enumerate(examples):
            pronoun = ambiguous(example)
            if pronoun is None:
                self._left_out += 1
            else:
                self._pronouns.append(Chooser(place, example, pronoun))
        self._solvable = [each for each in self._pronouns if each.anaphor.antecedents]
        self._answers = Answers(self._solvable, len(examples), heads, metric.merge, metric.name)

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        self._answers.add(group, layers, maps)

    def partial(self) -> GapPartial:
        """See `Accumulator.partial`."""
        right = self._answers.right
        return self._metric.sums(self._table, right, self._pronouns, self._left_out)

    def cases(self) -> pa.Table:
        """See `Accumulator.cases`."""
        table = self._table.append_column(RIGHT, packed(self._answers.right))
        return table.sort_by("example")

    @cached_property
    def _table(self) -> pa.Table:
        return table_of(
            PronounCase,
            {
                **columns_of(self._solvable),
                "max_tokens": [self._metric.max_tokens] * len(self._solvable),
                "gender": [gender_of(each) for each in self._solvable],
            },
        )
