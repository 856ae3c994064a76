"""Held out: what the heads chosen on the other folds get right, for each sentence and mention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from attnray.compare.chosen import ChosenHeads
from attnray.config import ExecutorConfig
from attnray.executors.process import analyse_more
from attnray.metrics.base import AttentionMetric, merge, under
from attnray.metrics.best import FEWEST_UNITS, chosen
from attnray.metrics.sums import Partial
from attnray.store.partials import read_partial
from attnray.store.run import Measurement, Run


@dataclass(frozen=True)
class HeldOut:
    """Right and all cases by item; `alike` says whether every fold chose the same head.

    An item is a sentence, of syntax, or a mention; `units` has the document, or block of
    sentences, of each.
    """

    items: NDArray[np.int64]
    units: NDArray[np.int64]
    correct: NDArray[np.int64]
    totals: NDArray[np.int64]
    alike: bool


#: By what examples are cut to and row of a table: relation, mention type or gender.
Choices = dict[tuple[int | None, str], HeldOut]


def heldout(measured: Sequence[tuple[Run, str]], executor: ExecutorConfig) -> list[Choices]:
    """The held-out choices of metrics of heads as predictors, each of a run.

    The heads were chosen by the partials of all shards. To score them by item attention is
    analysed once more, shard by shard, and what is found is kept in the run folder.

    Args:
        measured: reduced runs whose attention is stored, and the name of a metric of each.
        executor: where to analyse.

    Returns:
        For each, its choices; without those of too few units to hold out.

    Raises:
        IncompleteRun: a shard could not be analysed.
    """
    scorings = [
        [_Scoring.of(run, measurement) for measurement in run.measurements(metric)]
        for run, metric in measured
    ]
    runs: dict[int, tuple[Run, list[tuple[ChosenHeads, int]]]] = {}
    for (run, _), own in zip(measured, scorings, strict=True):
        pieces = runs.setdefault(id(run), (run, []))[1]
        pieces += [(each.metric, shard) for each in own for shard in each.shards]
    analyse_more(list(runs.values()), "comparison", executor)
    return [
        {(each.cut, row): found for each in own for row, found in each.choices(run).items()}
        for (run, _), own in zip(measured, scorings, strict=True)
    ]


@dataclass(frozen=True)
class _Scoring:
    """The chosen heads of a metric over one of its example sets."""

    metric: ChosenHeads
    cut: int | None
    shards: list[int]

    @classmethod
    def of(cls, run: Run, measurement: Measurement) -> _Scoring:
        metric, examples = measurement.metric, measurement.examples
        total = merge(read_partial(run.folder.partial(metric.name, s)) for s in examples.shards)
        heads = {row: chosen(under(total, f"{row}/paired")["h"]) for row in _rows(total)}
        best = ChosenHeads(cast(AttentionMetric, metric), heads)
        return cls(best, examples.max_tokens, examples.shards)

    def choices(self, run: Run) -> dict[str, HeldOut]:
        """Those of each row, from the partials."""
        partials = [read_partial(run.folder.partial(self.metric.name, s)) for s in self.shards]
        found = {}
        for row, alike in self.metric.alike.items():
            held = _joined([under(p, row) for p in partials if f"{row}/items" in p], alike)
            if len(np.unique(held.units)) >= FEWEST_UNITS:
                found[row] = held
        return found


def _rows(total: Partial) -> list[str]:
    end = "/paired/h"
    return [name.removesuffix(end) for name in total if name.endswith(end)]


def _joined(parts: Sequence[Partial], alike: bool) -> HeldOut:
    """Those of all shards, several of one item added up."""
    items, units, correct, totals = (
        np.concatenate([part[name] for part in parts])
        for name in ("items", "units", "correct", "totals")
    )
    items, first, item_of = np.unique(items, return_index=True, return_inverse=True)
    correct, totals = (np.bincount(item_of, each).astype(np.int64) for each in (correct, totals))
    return HeldOut(items, units[first], correct, totals, alike)
