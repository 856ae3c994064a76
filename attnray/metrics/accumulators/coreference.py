"""Coreference, shard by shard: which heads find the antecedents of its anaphors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pyarrow as pa
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.antecedents import Answers
from attnray.metrics.antecedents import Chooser, columns_of, right_answers
from attnray.metrics.base import Heads
from attnray.metrics.coreference import Coreference, CoreferencePartial, MentionCase, anaphors
from attnray.metrics.groups import Group
from attnray.metrics.predictions import RIGHT, packed
from attnray.metrics.rows import table_of


class CoreferenceSums:
    """Whether each head predicts each anaphor of a shard, then summed over units and types."""

    def __init__(self, metric: Coreference, examples: Sequence[Example], heads: Heads) -> None:
        self._metric = metric
        self._examples = examples
        self._choosers = self._among(metric.candidates)
        self._answers = Answers(self._choosers, len(examples), heads, metric.merge, metric.name)

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        self._answers.add(group, layers, maps)

    def partial(self) -> CoreferencePartial:
        """See `Accumulator.partial`. Baselines choose among mentions, whatever heads do."""
        among_mentions = self._metric.candidates == "mentions"
        choosers = self._choosers if among_mentions else self._among("mentions")
        baselines = right_answers(choosers)
        return self._metric.sums(self._table, self._answers.right, baselines)

    def cases(self) -> pa.Table:
        """See `Accumulator.cases`."""
        table = self._table.append_column(RIGHT, packed(self._answers.right))
        return table.sort_by([(key, "ascending") for key in ("example", "start", "end")])

    def _among(self, candidates: str) -> list[Chooser]:
        return [
            Chooser(place, example, anaphor)
            for place, example in enumerate(self._examples)
            for anaphor in anaphors(example, candidates)
        ]

    @cached_property
    def _table(self) -> pa.Table:
        found = [chooser.anaphor for chooser in self._choosers]
        return table_of(
            MentionCase,
            {
                **columns_of(self._choosers),
                "max_tokens": [self._metric.max_tokens] * len(found),
                "mention_type": [anaphor.mention.type for anaphor in found],
                "antecedents": [sorted(anaphor.antecedents) for anaphor in found],
                "candidates": [len(anaphor.candidates) for anaphor in found],
            },
        )
