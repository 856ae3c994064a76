"""Antecedents that heads choose by attention: how often they are right, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Antecedent, Example
from attnray.metrics.base import UnitCounts, grid, named, nullable, under
from attnray.metrics.baselines import BASELINES
from attnray.metrics.best import FEWEST_UNITS, best, heldout_correct
from attnray.metrics.paired import Comparison, compare, cross_moments
from attnray.metrics.sums import Partial, accuracy_interval, moments, ratio
from attnray.metrics.words import from_words, to_words

#: Under this name a partial holds what the test of heads against baselines needs.
PAIRED = "paired"


@dataclass(frozen=True)
class Anaphor:
    """A mention that has to choose an antecedent among candidates, all given by head words.

    `candidates` are in the order that breaks ties: nearest first, then the left one;
    `antecedents` are the candidates that are right.
    """

    mention: Antecedent
    candidates: list[int]
    antecedents: frozenset[int]

    @classmethod
    def among(cls, words: Iterable[int], mention: Antecedent, right: frozenset[int]) -> Anaphor:
        """A mention that chooses among some words."""
        nearest = sorted(set(words), key=lambda word: (abs(word - mention.head), word))
        return cls(mention, nearest, right)

    @property
    def head(self) -> int:
        """Its head word."""
        return self.mention.head


def predicted(example: Example, found: Sequence[Anaphor], maps: Tensor, merge: str) -> Tensor:
    """Whether each anaphor is predicted, (anaphor, layer, head).

    Args:
        example: what they are of.
        found: one or more.
        maps: its attention, (layer, head, query, key).
        merge: mean, first or max.
    """
    words = len(example.words)
    wanted = sorted({anaphor.head for anaphor in found})
    queries = np.flatnonzero(np.isin(example.word_of_piece, wanted))
    rows = to_words(maps[None, :, :, queries], [example.word_of_piece], words)
    merged = from_words(rows, [example.word_of_piece[queries]], words, merge)[0]
    return torch.stack([_right(merged[anaphor.head], anaphor) for anaphor in found])


def units_of(
    cases: Sequence[Antecedent], correct: NDArray[np.int64]
) -> tuple[UnitCounts, NDArray[np.int64]]:
    """Right cases by unit, and the place of each case's unit; `correct` is (case, layer, head)."""
    units, first, unit_of = np.unique(
        np.array([case.unit for case in cases], np.int64), return_index=True, return_inverse=True
    )
    counts = np.zeros((len(units), math.prod(correct.shape[1:])), np.int64)
    np.add.at(counts, unit_of, correct.reshape(len(cases), counts.shape[1]))
    totals = np.bincount(unit_of, minlength=len(units)).astype(np.int64)
    folds = np.array([cases[place].fold for place in first], np.int64)
    return UnitCounts(units, folds, counts, totals), unit_of


def sums_of(
    cases: Sequence[Antecedent], correct: NDArray[np.int64], baselines: NDArray[np.int64]
) -> Partial:
    """The moments over units of what heads have right, and those of heads against baselines.

    Args:
        cases: what is to be predicted.
        correct: whether heads predict it, (case, layer, head).
        baselines: whether baselines do, (case, baseline).
    """
    found, unit_of = units_of(cases, correct)
    theirs = np.zeros((len(found.units), baselines.shape[1]), np.int64)
    np.add.at(theirs, unit_of, baselines)
    heads = found.correct.reshape(len(found.units), *correct.shape[1:])
    paired = cross_moments(found.correct, theirs, found.totals, found.folds)
    return moments(heads, found.totals) | named(PAIRED, paired)


def _right(weights: Tensor, anaphor: Anaphor) -> Tensor:
    """Whether the candidate with the most attention is an antecedent; weights: (l, h, word)."""
    if not anaphor.candidates:
        return torch.zeros(weights.shape[:-1], dtype=torch.bool, device=weights.device)
    among = weights[..., anaphor.candidates]
    antecedent = torch.tensor([c in anaphor.antecedents for c in anaphor.candidates])
    order = torch.arange(among.shape[-1], device=among.device)
    most = among.amax(-1, keepdim=True)
    first = torch.where(among == most, order, among.shape[-1]).amin(-1)
    return antecedent.to(among.device)[first]


def accuracies(sums: Partial, max_tokens: int, column: str, group: str) -> pa.Table:
    """A row for every head: how much of a group of cases, named in a column, it has right."""
    low, high = accuracy_interval(sums)
    layer, head = grid(low.shape)
    return pa.table(
        {
            "max_tokens": np.full(low.size, max_tokens),
            "layer": layer + 1,
            "head": head + 1,
            column: np.full(low.size, group),
            "correct": sums["c"].ravel(),
            "total": np.full(low.size, sums["t"]),
            "accuracy": nullable(ratio(sums).ravel()),
            "ci_low": nullable(low.ravel()),
            "ci_high": nullable(high.ravel()),
        }
    )


def best_of(sums: Partial, units: int) -> tuple[dict[str, object], Comparison]:
    """The best head and baseline of a group of cases, and the test of one against the other.

    Args:
        sums: merged `sums_of`.
        units: how many units there are of any group.
    """
    total, paired = int(sums["t"]), under(sums, PAIRED)
    if not total:
        return {"total": 0}, Comparison()
    winner, rule = best(sums["c"].ravel()), best(paired["b"].sum(0))
    layer, head = np.unravel_index(winner, sums["c"].shape)
    low, high = (float(bound.ravel()[winner]) for bound in accuracy_interval(sums))
    heldout = units >= FEWEST_UNITS
    row: dict[str, object] = {
        "total": total,
        "layer": int(layer) + 1,
        "head": int(head) + 1,
        "accuracy": int(sums["c"].ravel()[winner]) / total,
        "ci_low": None if np.isnan(low) else low,
        "ci_high": None if np.isnan(high) else high,
        "heldout_accuracy": heldout_correct(paired["h"]) / total if heldout else None,
        "baseline": list(BASELINES)[rule],
        "baseline_accuracy": int(paired["b"].sum(0)[rule]) / total,
        "baseline_heldout_accuracy": heldout_correct(paired["b"]) / total if heldout else None,
    }
    return row, compare(paired) if heldout else Comparison()
