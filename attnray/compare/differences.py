"""Differences between two models, in pairs over documents (tables `differences`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.compare.heldout import ByRow, HeldOut, heldout
from attnray.compare.subjects import Subject
from attnray.metrics.base import Predictor
from attnray.metrics.paired import Comparison, difference_of, holm
from attnray.metrics.registry import METRICS
from attnray.metrics.rows import whole_schema
from attnray.report.compared.rows import DifferenceRow

#: The metrics of heads as predictors.
PREDICTORS = [metric for metric in METRICS.values() if issubclass(metric, Predictor)]


Row = dict[str, object]


def differences_table(subjects: Sequence[Subject]) -> pa.Table:
    """Every two subjects over the same examples: the best heads of one less those of the other.

    Both heads are held out: picked on the other folds of documents. Where one model leaves out
    or cuts what the other does not, they are compared on the cases they share. p-values are
    corrected for the number of relations, mention types or genders of a pair (Holm).
    """
    rows: list[Row] = []
    for metric in PREDICTORS:
        pairs = [
            (one, other)
            for one, other in combinations(range(len(subjects)), 2)
            if _comparable(subjects[one], subjects[other], metric)
        ]
        places = dict.fromkeys(place for pair in pairs for place in pair)
        found = {place: heldout(subjects[place].run, metric.name) for place in places}
        for one, other in pairs:
            corpus = subjects[one].run.manifest.sets_of(metric.role)[0].corpus
            models = {"model": subjects[one].name, "other_model": subjects[other].name}
            named = {**models, "corpus": corpus, "metric": metric.name}
            rows += [named | row for row in _pair(found[one], found[other], metric.together)]
    return pa.Table.from_pylist(rows, whole_schema(DifferenceRow))


def _comparable(one: Subject, other: Subject, metric: type[Predictor]) -> bool:
    """Whether both were measured by a metric, over the same corpus."""
    measured = metric.name in one.run.metrics and metric.name in other.run.metrics
    return measured and one.examples(metric.role) == other.examples(metric.role)


def _pair(ours: ByRow, theirs: ByRow, together: tuple[str, ...]) -> Iterator[Row]:
    """The rows of two subjects, corrected within each cut."""
    cuts = dict.fromkeys(cut for cut, _ in ours)
    for cut in cuts:
        shared = [row for c, row in ours if c == cut and (cut, row) in theirs]
        pairs = [Pair.of(ours[cut, row], theirs[cut, row]) for row in shared]
        found = [pair.tested() for pair in pairs]
        single = [
            None if row in together else d.p_value for row, d in zip(shared, found, strict=True)
        ]
        for row, pair, d, p_holm in zip(shared, pairs, found, holm(single), strict=True):
            total = int(pair.totals.sum())
            yield {
                "max_tokens": cut,
                "item": row,
                "total": total,
                "left_out": int(ours[cut, row].totals.sum()) - total,
                "other_left_out": int(theirs[cut, row].totals.sum()) - total,
                "heldout_accuracy": int(pair.correct.sum()) / total if total else None,
                "other_heldout_accuracy": int(pair.other.sum()) / total if total else None,
                "difference": d.difference,
                "ci_low": d.low,
                "ci_high": d.high,
                "p_value": d.p_value,
                "p_holm": p_holm,
            }


@dataclass(frozen=True)
class Pair:
    """What the picks of two got right of the cases both have, by unit."""

    correct: NDArray[np.int64]
    other: NDArray[np.int64]
    totals: NDArray[np.int64]
    alike: bool

    @classmethod
    def of(cls, ours: HeldOut, theirs: HeldOut) -> Pair:
        """The shared cases of two."""
        _, here, there = np.intersect1d(ours.items, theirs.items, return_indices=True)
        # Of documents of one name, one model may have cut one more.
        same = ours.totals[here] == theirs.totals[there]
        here, there = here[same], there[same]
        _, unit_of = np.unique(ours.units[here], return_inverse=True)
        columns = (ours.correct[here], theirs.correct[there], ours.totals[here])
        correct, other, totals = (np.bincount(unit_of, each).astype(np.int64) for each in columns)
        return cls(correct, other, totals, ours.alike and theirs.alike)

    def tested(self) -> Comparison:
        """The difference of their accuracies."""
        return difference_of(
            self.correct, self.totals, self.other, self.totals, held_out_alike=self.alike
        )
