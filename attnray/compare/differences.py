"""Differences between two models, in pairs over documents (tables `differences`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.compare.heldout import Choices, HeldOut, heldout
from attnray.compare.rows import DifferenceRow
from attnray.compare.subjects import Subject
from attnray.config import ExecutorConfig
from attnray.metrics.paired import Comparison, difference_of, holm
from attnray.metrics.registry import METRICS
from attnray.metrics.rows import whole_schema
from attnray.metrics.syntax import ALL_BUT_PUNCT

#: Metrics of heads as predictors, and the rows that are made of the others.
PREDICTING = {"syntax": ("all", ALL_BUT_PUNCT), "coreference": ("all",), "gap": ("all",)}


Row = dict[str, object]


def differences_table(subjects: Sequence[Subject], executor: ExecutorConfig) -> pa.Table:
    """Every two subjects over the same examples: the best heads of one less those of the other.

    Both heads are held out: chosen on the other folds of documents. Where one model leaves out
    or cuts what the other does not, they are compared on the cases they share. p-values are
    corrected for the number of relations, mention types or genders of a pair (Holm).
    """
    pairs = [
        (metric, one, other)
        for metric in PREDICTING
        for one, other in combinations(range(len(subjects)), 2)
        if _comparable(subjects[one], subjects[other], metric)
    ]
    wanted = list(dict.fromkeys((place, m) for m, *places in pairs for place in places))
    found = heldout([(subjects[place].run, metric) for place, metric in wanted], executor)
    choices = dict(zip(wanted, found, strict=True))
    rows: list[Row] = []
    for metric, one, other in pairs:
        corpus = subjects[one].run.manifest.sets_of(METRICS[metric].role)[0].corpus
        models = {"model": subjects[one].name, "other_model": subjects[other].name}
        named = {**models, "corpus": corpus, "metric": metric}
        both = choices[one, metric], choices[other, metric]
        rows += [named | row for row in _pair(*both, PREDICTING[metric])]
    return pa.Table.from_pylist(rows, whole_schema(DifferenceRow))


def _comparable(one: Subject, other: Subject, metric: str) -> bool:
    """Whether both were measured by a metric, over the same corpus."""
    role = METRICS[metric].role
    measured = metric in one.run.metrics and metric in other.run.metrics
    return measured and one.examples(role) == other.examples(role)


def _pair(ours: Choices, theirs: Choices, together: tuple[str, ...]) -> Iterator[Row]:
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
    """What two held-out choices got right of the cases both have, by unit."""

    correct: NDArray[np.int64]
    other: NDArray[np.int64]
    totals: NDArray[np.int64]
    alike: bool

    @classmethod
    def of(cls, ours: HeldOut, theirs: HeldOut) -> Pair:
        """The shared cases of two choices."""
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
