"""Heads as predictors of antecedents (section 4.3; docs/definitions.md: Coreference)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.antecedents import Anaphor, accuracies, best_of, mentions_of
from attnray.metrics.base import Choice, Heads, Planned, Predictor
from attnray.metrics.baselines import BASELINES
from attnray.metrics.gains import gains_table
from attnray.metrics.paired import Comparison, holm
from attnray.metrics.predictions import Bits, Predictions, Tally
from attnray.metrics.rows import table_of

if TYPE_CHECKING:
    from attnray.metrics.accumulators.coreference import CoreferenceSums

ALL = "all"
TYPES = (ALL, "pronoun", "proper", "nominal")


@dataclass(frozen=True)
class MentionCase:
    """An anaphor, from word `start` to `end`: its head word chooses among `candidates` words.

    `antecedents` are the head words that are right. Words count from 0.
    """

    max_tokens: int
    document: str
    example: int
    word: int
    mention_type: str
    antecedents: list[int]
    candidates: int
    unit: int
    fold: int
    start: int
    end: int
    entity: str


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


@dataclass(frozen=True)
class MentionGainRow:
    """A row of `coreference_gains`: how much better than the best rule a head finds antecedents.

    `baseline` is the best one on all cases; `baseline_accuracy` is held out.
    """

    max_tokens: int
    mention_type: str
    total: int
    layer: int
    head: int
    accuracy: float | None
    baseline: str | None
    baseline_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None


@dataclass(frozen=True)
class CoreferencePartial:
    """What heads and baselines have right, by type of mention."""

    types: dict[str, Predictions]


def anaphors(example: Example, candidates: str) -> list[Anaphor]:
    """The anaphors of a document.

    Args:
        example: mentions in (start, end) order.
        candidates: mentions (the head words of earlier mentions) or words (every word
            before the anaphor's head word).
    """
    found = []
    heads: set[int] = set()
    of_entity: dict[str, set[int]] = defaultdict(set)
    for mention in example.mentions:
        own = {mention.head}
        right = of_entity[mention.entity] - own
        if right:
            among = heads - own if candidates == "mentions" else range(mention.head)
            found.append(Anaphor.among(among, mention, frozenset(right)))
        heads |= own
        of_entity[mention.entity] |= own
    return found


@dataclass(frozen=True)
class Coreference(Predictor):
    """How often an anaphor's head word attends most to the head word of an antecedent.

    Documents were cut to `max_tokens`, a column of the tables; `merge` is mean, first or max:
    attention from a word of several pieces; `candidates` mentions or words.
    """

    max_tokens: int
    merge: str
    candidates: str

    name = "coreference"
    role = "coreference"
    version = 3
    partial = CoreferencePartial
    rows: ClassVar = {
        "coreference": MentionRow,
        "coreference_baselines": MentionBaselineRow,
        "coreference_best": BestMentionRow,
        "coreference_gains": MentionGainRow,
    }
    compared = ("coreference_best", "coreference_baselines")
    case = MentionCase
    item = "mention_type"
    together = (ALL,)

    @classmethod
    def of(cls, config: Config, planned: Planned | None) -> Self:
        """See `Metric.of`."""
        return cls((planned.max_tokens if planned else None) or 0, config.merge, config.candidates)

    @property
    def parameters(self) -> dict[str, object]:
        """See `Metric.parameters`."""
        return {"merge": self.merge, "candidates": self.candidates}

    def start(self, examples: Sequence[Example], heads: Heads) -> CoreferenceSums:
        """See `Metric.start`."""
        from attnray.metrics.accumulators.coreference import CoreferenceSums

        return CoreferenceSums(self, examples, heads)

    def by_row(self, total: CoreferencePartial) -> dict[str, Predictions]:
        """See `Predictor.by_row`."""
        return total.types

    def labels(self, cases: pa.Table) -> NDArray[np.object_]:
        """See `Predictor.labels`: types of mentions."""
        return np.array(cases["mention_type"].to_pylist(), object)

    def rows_of(self, labels: Collection[str]) -> dict[str, set[str]]:
        """See `Predictor.rows_of`: a row a type of mention, and all."""
        return {kind: {*labels} if kind == ALL else {kind} for kind in TYPES}

    def items(self, cases: pa.Table, examples: Mapping[int, Sequence[str]]) -> list[int]:
        """See `Predictor.items`."""
        return mentions_of(cases)

    def choice(self, example: Example, case: Mapping[str, Any]) -> Choice:
        """See `Predictor.choice`: head words of earlier mentions, or all earlier words."""
        asked = case["start"], case["end"], case["entity"]
        return next(
            each.choice
            for each in anaphors(example, self.candidates)
            if (each.mention.start, each.mention.end, each.mention.entity) == asked
        )

    def sums(self, cases: pa.Table, right: Bits, baselines: Bits) -> CoreferencePartial:
        """The partial of a shard.

        Args:
            cases: its cases.
            right: whether heads predict them, (case, layer, head).
            baselines: whether baselines do, (case, baseline).
        """
        labels = self.labels(cases)
        tally = Tally.of(cases, labels, right, baselines)
        rows = self.rows_of(set(labels.tolist()))
        return CoreferencePartial({row: tally.predictions(taken) for row, taken in rows.items()})

    def tables(self, total: CoreferencePartial) -> dict[str, pa.Table]:
        """See `Metric.tables`."""
        found, units = total.types, int(total.types[ALL].heads.units)
        best = [self._best(kind, found[kind], units) for kind in TYPES]
        single = [None if row["mention_type"] == ALL else c.p_value for row, c in best]
        rows = [row | c.columns(p) for (row, c), p in zip(best, holm(single), strict=True)]
        return {
            "coreference": pa.concat_tables(
                accuracies(found[kind], self.max_tokens, "mention_type", kind) for kind in TYPES
            ),
            "coreference_baselines": table_of(
                MentionBaselineRow,
                [self._baseline(b, kind, found[kind]) for b in BASELINES for kind in TYPES],
            ),
            "coreference_best": table_of(BestMentionRow, rows),
            "coreference_gains": gains_table(
                Coreference,
                MentionGainRow,
                "mention_type",
                {kind: found[kind] for kind in TYPES},
                units,
                list(BASELINES),
                max_tokens=self.max_tokens,
            ),
        }

    def _best(
        self, mention_type: str, found: Predictions, units: int
    ) -> tuple[dict[str, object], Comparison]:
        """The best head and baseline of a type, and the test of one against the other."""
        row, comparison = best_of(found, units)
        return {"max_tokens": self.max_tokens, "mention_type": mention_type} | row, comparison

    def _baseline(self, baseline: str, mention_type: str, found: Predictions) -> dict[str, object]:
        right = found.paired.b.sum(0)[list(BASELINES).index(baseline)]
        correct, total = int(right), int(found.heads.t)
        return {
            "max_tokens": self.max_tokens,
            "baseline": baseline,
            "mention_type": mention_type,
            "correct": correct,
            "total": total,
            "accuracy": correct / total if total else None,
        }
