"""Antecedents that mentions choose among: how often heads find them, and the best of heads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.corpus.example import Antecedent, Example
from attnray.metrics.base import Choice, grid, nearest_first, nullable
from attnray.metrics.baselines import BASELINES, Folded
from attnray.metrics.best import FEWEST_UNITS, best, heldout_correct
from attnray.metrics.paired import Comparison, compare
from attnray.metrics.predictions import Predictions, number
from attnray.metrics.sums import accuracy_interval, ratio


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
        return cls(mention, nearest_first(words, mention.head), right)

    @property
    def head(self) -> int:
        """Its head word."""
        return self.mention.head

    @property
    def choice(self) -> Choice:
        """What it chooses among."""
        return Choice(self.candidates, self.antecedents)


@dataclass(frozen=True)
class Chooser:
    """An anaphor with its example, and the place of that in the shard."""

    place: int
    example: Example
    anaphor: Anaphor


def answers(choosers: Sequence[Chooser]) -> list[list[int | None]]:
    """The head word that each baseline chooses for each anaphor, None without an answer."""
    found = []
    for _, own in groupby(choosers, key=lambda chooser: chooser.place):
        several = list(own)
        folded = Folded(several[0].example)
        for chooser in several:
            given = (chooser.anaphor.candidates, chooser.anaphor.mention, folded)
            found.append([rule(*given) for rule in BASELINES.values()])
    return found


def right_answers(choosers: Sequence[Chooser]) -> NDArray[np.bool_]:
    """Whether each baseline is right, (anaphor, baseline)."""
    pairs = zip(choosers, answers(choosers), strict=True)
    found = [[word in each.anaphor.antecedents for word in words] for each, words in pairs]
    return np.array(found, bool).reshape(len(choosers), len(BASELINES))


def columns_of(choosers: Sequence[Chooser]) -> dict[str, list[object]]:
    """What the tables of cases have of anaphors, by column."""
    mentions = [chooser.anaphor.mention for chooser in choosers]
    return {
        "document": [chooser.example.document for chooser in choosers],
        "example": [chooser.example.index for chooser in choosers],
        "word": [mention.head for mention in mentions],
        "unit": [mention.unit for mention in mentions],
        "fold": [mention.fold for mention in mentions],
        "start": [mention.start for mention in mentions],
        "end": [mention.end for mention in mentions],
        "entity": [mention.entity for mention in mentions],
    }


def mentions_of(cases: pa.Table) -> list[int]:
    """What cases are known by: a mention by its document, span and entity."""
    columns = [cases[name].to_pylist() for name in ("document", "start", "end", "entity")]
    return [number(*name) for name in zip(*columns, strict=True)]


def accuracies(found: Predictions, max_tokens: int, column: str, group: str) -> pa.Table:
    """A row for every head: how much of a group of cases, named in a column, it has right."""
    low, high = accuracy_interval(found.heads)
    layer, head = grid(low.shape)
    return pa.table(
        {
            "max_tokens": np.full(low.size, max_tokens),
            "layer": layer + 1,
            "head": head + 1,
            column: np.full(low.size, group),
            "correct": found.heads.c.ravel(),
            "total": np.full(low.size, found.heads.t),
            "accuracy": nullable(ratio(found.heads).ravel()),
            "ci_low": nullable(low.ravel()),
            "ci_high": nullable(high.ravel()),
        }
    )


def best_of(found: Predictions, units: int) -> tuple[dict[str, object], Comparison]:
    """The best head and baseline of a group of cases, and the test of one against the other.

    Args:
        found: merged over all shards.
        units: how many units there are of any group.
    """
    correct, by_fold, baselines = found.heads.c, found.paired.h, found.paired.b
    total = int(found.heads.t)
    if not total:
        return {"total": 0}, Comparison()
    winner, rule = best(correct.ravel()), best(baselines.sum(0))
    layer, head = np.unravel_index(winner, correct.shape)
    low, high = (float(bound.ravel()[winner]) for bound in accuracy_interval(found.heads))
    heldout = units >= FEWEST_UNITS
    row: dict[str, object] = {
        "total": total,
        "layer": int(layer) + 1,
        "head": int(head) + 1,
        "accuracy": int(correct.ravel()[winner]) / total,
        "ci_low": None if np.isnan(low) else low,
        "ci_high": None if np.isnan(high) else high,
        "heldout_accuracy": heldout_correct(by_fold) / total if heldout else None,
        "baseline": list(BASELINES)[rule],
        "baseline_accuracy": int(baselines.sum(0)[rule]) / total,
        "baseline_heldout_accuracy": heldout_correct(baselines) / total if heldout else None,
    }
    return row, compare(found.paired) if heldout else Comparison()
