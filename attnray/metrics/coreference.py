"""Heads as predictors of antecedents (section 4.3 of the paper; contract: Coreference)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Antecedent, Example
from attnray.metrics.antecedents import (
    PAIRED,
    Anaphor,
    accuracies,
    best_of,
    predicted,
    sums_of,
    units_of,
)
from attnray.metrics.base import UnitCounts, named, under
from attnray.metrics.baselines import BASELINES
from attnray.metrics.paired import Comparison, holm
from attnray.metrics.rows import table_of
from attnray.metrics.sums import Partial

ALL = "all"
TYPES = (ALL, "pronoun", "proper", "nominal")


@dataclass(frozen=True)
class MentionRow:
    """A row of `coreference`: how often a head finds an antecedent of a type of mention."""

    max_tokens: int
    layer: int
    head: int
    mention_type: str
    correct: int
    total: int
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class MentionBaselineRow:
    """A row of `coreference_baselines`: how often a rule finds an antecedent."""

    max_tokens: int
    baseline: str
    mention_type: str
    correct: int
    total: int
    accuracy: float | None


@dataclass(frozen=True)
class BestMentionRow:
    """A row of `coreference_best`: the best head and rule of a type of mention, and their test.

    Everything but `total` is null where there is no such mention.
    """

    max_tokens: int
    mention_type: str
    total: int
    layer: int | None
    head: int | None
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None
    heldout_accuracy: float | None
    baseline: str | None
    baseline_accuracy: float | None
    baseline_heldout_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None


def anaphors(example: Example, candidates: str) -> list[Anaphor]:
    """The anaphors of a document.

    Args:
        example: mentions in (start, end) order.
        candidates: mentions (the head words of earlier mentions) or words (every word
            before the anaphor's head word).
    """
    found = []
    for position, mention in enumerate(example.mentions):
        earlier = [m for m in example.mentions[:position] if m.head != mention.head]
        right = frozenset(m.head for m in earlier if m.entity == mention.entity)
        if right:
            among = {m.head for m in earlier} if candidates == "mentions" else range(mention.head)
            found.append(Anaphor.among(among, mention, right))
    return found


class Coreference:
    """How often an anaphor's head word attends most to the head word of an antecedent.

    Args:
        max_tokens: what the documents were cut to; a column of the tables.
        merge: mean, first or max: attention from a word of several pieces.
        candidates: mentions or words.
    """

    name = "coreference"
    table_names: tuple[str, ...] = ("coreference", "coreference_baselines", "coreference_best")

    def __init__(self, max_tokens: int, merge: str, candidates: str) -> None:
        self._max_tokens = max_tokens
        self._merge = merge
        self._candidates = candidates

    @property
    def parameters(self) -> dict[str, object]:
        """What decides a partial's bytes beside the attention."""
        return {"version": 2, "merge": self._merge, "candidates": self._candidates}

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> CoreferenceSums:
        """An accumulator for the examples of a shard and (layers, heads)."""
        return CoreferenceSums(examples, heads, self._merge, self._candidates)

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The tables `coreference`, `coreference_baselines` and `coreference_best`."""
        heads = pa.concat_tables(self._accuracies(t, under(total, t)) for t in TYPES)
        units = int(under(total, ALL)["units"])
        best = [self._best(t, under(total, t), units) for t in TYPES]
        single = [None if row["mention_type"] == ALL else c.p_value for row, c in best]
        rows = [row | c.columns(p) for (row, c), p in zip(best, holm(single), strict=True)]
        return {
            "coreference": heads,
            "coreference_best": table_of(BestMentionRow, rows),
            "coreference_baselines": table_of(
                MentionBaselineRow,
                [self._baseline_row(b, t, under(total, t)) for b in BASELINES for t in TYPES],
            ),
        }

    def _accuracies(self, mention_type: str, sums: Partial) -> pa.Table:
        return accuracies(sums, self._max_tokens, "mention_type", mention_type)

    def _best(
        self, mention_type: str, sums: Partial, units: int
    ) -> tuple[dict[str, object], Comparison]:
        """The best head and baseline of a type, and the test of one against the other."""
        row, comparison = best_of(sums, units)
        return {"max_tokens": self._max_tokens, "mention_type": mention_type} | row, comparison

    def _baseline_row(self, baseline: str, mention_type: str, sums: Partial) -> dict[str, object]:
        right = sums[f"{PAIRED}/b"].sum(0)[list(BASELINES).index(baseline)]
        correct, total = int(right), int(sums["t"])
        return {
            "max_tokens": self._max_tokens,
            "baseline": baseline,
            "mention_type": mention_type,
            "correct": correct,
            "total": total,
            "accuracy": correct / total if total else None,
        }


class CoreferenceSums:
    """Whether each head predicts each anaphor of a shard, then summed over units and types."""

    def __init__(
        self, examples: Sequence[Example], heads: tuple[int, int], merge: str, candidates: str
    ) -> None:
        self._examples = examples
        self._merge = merge
        self._anaphors = [anaphors(example, candidates) for example in examples]
        self._correct = [np.zeros((len(each), *heads), np.int64) for each in self._anaphors]

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """See `Accumulator.add`."""
        for position, maps in enumerate(attention, first):
            if self._anaphors[position]:
                example, found = self._examples[position], self._anaphors[position]
                correct = predicted(example, found, maps, self._merge)
                self._correct[position][:, layers] = correct.cpu().numpy()

    def partial(self) -> Partial:
        """See `Accumulator.partial`."""
        right = self._baselines()
        partial: Partial = {}
        for mention_type in TYPES:
            cases, chosen = self._of(mention_type)
            sums = sums_of(cases, np.concatenate(self._correct)[chosen], right[chosen])
            partial |= named(mention_type, sums)
        return partial

    def by_unit(self) -> dict[str, UnitCounts]:
        """See `Predictions.by_unit`."""
        found = {}
        for mention_type in TYPES:
            cases, chosen = self._of(mention_type)
            found[mention_type], _ = units_of(cases, np.concatenate(self._correct)[chosen])
        return found

    def _of(self, mention_type: str) -> tuple[list[Antecedent], NDArray[np.bool_]]:
        """The anaphors of a type, and which of all they are."""
        cases = [a.mention for each in self._anaphors for a in each]
        of_type = [case for case in cases if mention_type in (ALL, case.type)]
        return of_type, np.array([mention_type in (ALL, case.type) for case in cases], bool)

    def _baselines(self) -> NDArray[np.int64]:
        """Whether each baseline is right, (anaphor, baseline).

        Baselines choose among mentions, whatever the heads choose among.
        """
        among_mentions = [(a, e) for e in self._examples for a in anaphors(e, "mentions")]
        right = [
            [
                baseline(a.candidates, a.mention, e) in a.antecedents
                for baseline in BASELINES.values()
            ]
            for a, e in among_mentions
        ]
        return np.array(right, np.int64).reshape(len(right), len(BASELINES))
