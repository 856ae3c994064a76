"""Antecedents, shard by shard: whether each head chooses the right one for each anaphor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.antecedents import Chooser
from attnray.metrics.base import Heads
from attnray.metrics.groups import Group
from attnray.metrics.kernels import kernels
from attnray.metrics.predictions import Bits


class Answers:
    """Right or wrong for every chooser of a shard; they are in the order of its examples."""

    def __init__(
        self, choosers: Sequence[Chooser], examples: int, heads: Heads, merge: str, name: str
    ) -> None:
        self._name = name
        anaphors = [chooser.anaphor for chooser in choosers]
        self._merge = merge
        self._place = np.array([chooser.place for chooser in choosers], np.int64)
        self._of_example = np.searchsorted(self._place, np.arange(examples + 1))
        self._word = np.array([anaphor.head for anaphor in anaphors], np.int64)
        counts = [len(anaphor.candidates) for anaphor in anaphors]
        self._ends = np.concatenate([[0], np.cumsum(np.array(counts, np.int64))])
        among = [(word, word in each.antecedents) for each in anaphors for word in each.candidates]
        self._candidates = np.array([word for word, _ in among], np.int64)
        self._is_right = np.array([right for _, right in among], bool)
        self._right: Bits = np.zeros((len(choosers), *heads), bool)
        self._pending = Pending()

    @property
    def right(self) -> Bits:
        """Whether each head is right, (chooser, layer, head), once everything was added."""
        self._pending.finish()
        return self._right

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        start, end = self._of_example[group.first], self._of_example[group.end]
        if start == end:
            return

        def take(right: Bits) -> None:
            self._right[start:end, layers] = right

        first, last = self._ends[start], self._ends[end]
        right = kernels(maps.device).antecedents_chosen(
            maps,
            group,
            self._place[start:end] - group.first,
            self._word[start:end],
            self._ends[start : end + 1] - first,
            self._candidates[first:last],
            self._is_right[first:last],
            self._merge,
            self._name,
        )
        self._pending.put(right, take)
