"""Differences between two models, in pairs over documents (tables `differences`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.compare.heldout import HeldOut, heldout
from attnray.compare.subjects import Subject
from attnray.metrics.paired import Comparison, difference_of_choices, holm
from attnray.metrics.registry import METRICS
from attnray.metrics.syntax import ALL_BUT_PUNCT

#: Metrics of heads as predictors, and the rows that are made of the others.
PREDICTING = {"syntax": ("all", ALL_BUT_PUNCT), "coreference": ("all",), "gap": ("all",)}

DIFFERENCES = pa.schema(
    [
        ("model", pa.string()),
        ("corpus", pa.string()),
        ("other_model", pa.string()),
        ("metric", pa.string()),
        ("max_tokens", pa.int64()),
        ("item", pa.string()),
        ("total", pa.int64()),
        ("other_total", pa.int64()),
        ("heldout_accuracy", pa.float64()),
        ("other_heldout_accuracy", pa.float64()),
        ("difference", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("p_value", pa.float64()),
        ("p_holm", pa.float64()),
    ]
)

Row = dict[str, object]
#: The held-out choices of a subject, by what they were cut to and row.
Choices = dict[tuple[int | None, str], HeldOut]


def differences_table(subjects: Sequence[Subject]) -> pa.Table:
    """Every two subjects over the same examples: the best heads of one less those of the other.

    Both heads are held out: chosen on the other folds of documents. p-values are corrected for
    the number of relations, mention types or genders of a pair (Holm). The cases of two models
    differ where one leaves out or cuts what the other does not: both numbers are given.
    """
    rows: list[Row] = []
    for metric, together in PREDICTING.items():
        role = METRICS[metric].role
        choices = [(s, _choices(s, metric)) for s in subjects if metric in s.run.metrics]
        for (one, ours), (other, theirs) in combinations(choices, 2):
            if one.examples(role) == other.examples(role):
                corpus = one.run.manifest.sets_of(role)[0].corpus
                named = {"model": one.name, "corpus": corpus, "other_model": other.name}
                rows += [named | {"metric": metric} | r for r in _pair(ours, theirs, together)]
    return pa.Table.from_pylist(rows, DIFFERENCES)


def _choices(subject: Subject, metric: str) -> Choices:
    run = subject.run
    return {
        (each.examples.max_tokens, row): found
        for number, each in enumerate(run.measurements(metric))
        for row, found in heldout(run, metric, each, number).items()
    }


def _pair(ours: Choices, theirs: Choices, together: tuple[str, ...]) -> Iterator[Row]:
    """The rows of two subjects, corrected within each cut."""
    cuts = dict.fromkeys(cut for cut, _ in ours)
    for cut in cuts:
        shared = [row for c, row in ours if c == cut and (cut, row) in theirs]
        found = [_difference(ours[cut, row], theirs[cut, row]) for row in shared]
        single = [
            None if row in together else d.p_value for row, d in zip(shared, found, strict=True)
        ]
        for row, difference, p_holm in zip(shared, found, holm(single), strict=True):
            mine, other = ours[cut, row], theirs[cut, row]
            yield {
                "max_tokens": cut,
                "item": row,
                "total": int(mine.totals.sum()),
                "other_total": int(other.totals.sum()),
                "heldout_accuracy": _accuracy(mine),
                "other_heldout_accuracy": _accuracy(other),
                "difference": difference.difference,
                "ci_low": difference.low,
                "ci_high": difference.high,
                "p_value": difference.p_value,
                "p_holm": p_holm,
            }


def _difference(ours: HeldOut, theirs: HeldOut) -> Comparison:
    units = np.union1d(ours.units, theirs.units)
    return difference_of_choices(
        _at(units, ours.units, ours.correct),
        _at(units, ours.units, ours.totals),
        _at(units, theirs.units, theirs.correct),
        _at(units, theirs.units, theirs.totals),
        ours.alike and theirs.alike,
    )


def _at(
    units: NDArray[np.int64], own: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The counts of one side at each unit, 0 where it has none."""
    values = np.zeros(len(units), np.int64)
    values[np.searchsorted(units, own)] = counts
    return values


def _accuracy(side: HeldOut) -> float | None:
    total = int(side.totals.sum())
    return int(side.correct.sum()) / total if total else None
