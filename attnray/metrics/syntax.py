"""Heads as predictors of syntactic relations (section 4.2; docs/definitions.md: Syntax)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.base import Choice, Heads, Planned, Predictor, grid, nearest_first, nullable
from attnray.metrics.best import FEWEST_UNITS, best, heldout_correct
from attnray.metrics.gains import gains_table
from attnray.metrics.paired import Comparison, compare, holm
from attnray.metrics.predictions import Bits, Predictions, Tally, number
from attnray.metrics.rows import table_of
from attnray.metrics.sums import accuracy_interval, ratio

if TYPE_CHECKING:
    from attnray.metrics.accumulators.syntax import SyntaxSums

DIRECTIONS = ("dependent_to_head", "head_to_dependent")
#: Baseline offsets in the order that breaks ties: the nearest, then the left one.
OFFSETS = tuple(o for distance in range(1, 9) for o in (-distance, distance))
ALL, ALL_BUT_PUNCT = "all", "all_but_punct"
PUNCT = "punct"


@dataclass(frozen=True)
class SyntaxCase:
    """A word with a syntactic head; words count from 0, `distance` is the head less the word."""

    document: str
    example: int
    word: int
    head_word: int
    relation: str
    distance: int
    unit: int
    fold: int


@dataclass(frozen=True)
class RelationRow:
    """A row of `syntax`: how often a head, in a direction, finds the words of a relation."""

    layer: int
    head: int
    direction: str
    relation: str
    correct: int
    total: int
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class OffsetRow:
    """A row of `syntax_baselines`: how often the word so many places on is the head."""

    baseline: str
    offset: int
    relation: str
    correct: int
    total: int
    accuracy: float | None


@dataclass(frozen=True)
class BestRelationRow:
    """A row of `syntax_best`: the best head and the best offset of a relation, and their test."""

    relation: str
    total: int
    layer: int
    head: int
    direction: str
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None
    heldout_accuracy: float | None
    baseline_offset: int
    baseline_accuracy: float | None
    baseline_heldout_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None


@dataclass(frozen=True)
class RelationGainRow:
    """A row of `syntax_gains`: how much better than the best offset a head finds words.

    `direction` is the better one on all cases; accuracies are held out.
    """

    relation: str
    total: int
    layer: int
    head: int
    direction: str
    accuracy: float | None
    baseline_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None


@dataclass(frozen=True)
class SyntaxPartial:
    """What heads and offsets have right by row of the tables, and how many units there are."""

    units: NDArray[np.int64]
    rows: dict[str, Predictions]


@dataclass(frozen=True)
class Syntax(Predictor):
    """How often the word a head attends to most is the syntactic head, by relation.

    `merge` is mean, first or max: attention from a word of several pieces; `relation_labels`
    universal cuts subtypes, full keeps them.
    """

    merge: str
    relation_labels: str

    name = "syntax"
    role = "syntax"
    version = 3
    partial = SyntaxPartial
    rows: ClassVar = {
        "syntax": RelationRow,
        "syntax_baselines": OffsetRow,
        "syntax_best": BestRelationRow,
        "syntax_gains": RelationGainRow,
    }
    compared = ("syntax_best",)
    case = SyntaxCase
    item = "relation"
    directions = DIRECTIONS
    together = (ALL, ALL_BUT_PUNCT)

    @classmethod
    def of(cls, config: Config, planned: Planned | None) -> Self:
        """See `Metric.of`."""
        return cls(config.merge, config.relation_labels)

    @property
    def parameters(self) -> dict[str, object]:
        """See `Metric.parameters`."""
        return {"merge": self.merge, "relation_labels": self.relation_labels}

    def start(self, examples: Sequence[Example], heads: Heads) -> SyntaxSums:
        """See `Metric.start`."""
        from attnray.metrics.accumulators.syntax import SyntaxSums

        return SyntaxSums(self, examples, heads)

    def by_row(self, total: SyntaxPartial) -> dict[str, Predictions]:
        """See `Predictor.by_row`."""
        return total.rows

    def labels(self, cases: pa.Table) -> NDArray[np.object_]:
        """See `Predictor.labels`: relations, without subtypes if so."""
        relations = cases["relation"].combine_chunks().dictionary_encode()
        labels = [relation_label(r, self.relation_labels) for r in relations.dictionary.to_pylist()]
        known = np.array(labels, object)
        places: NDArray[np.int64] = relations.indices.to_numpy()
        return known[places]

    def rows_of(self, labels: Collection[str]) -> dict[str, set[str]]:
        """See `Predictor.rows_of`: a row a relation, all, and all but punctuation."""
        return {label: {label} for label in sorted(labels)} | {
            ALL: {*labels},
            ALL_BUT_PUNCT: {*labels} - {PUNCT},
        }

    def items(self, cases: pa.Table, examples: Mapping[int, Sequence[str]]) -> list[int]:
        """See `Predictor.items`: a sentence is known by its document and its words."""
        pairs = zip(cases["example"].to_pylist(), cases["document"].to_pylist(), strict=True)
        known = {example: number(name, *examples[example]) for example, name in set(pairs)}
        return [known[example] for example in cases["example"].to_pylist()]

    def choice(self, example: Example, case: Mapping[str, Any]) -> Choice:
        """See `Predictor.choice`: all other words."""
        word = case["word"]
        others = nearest_first(range(len(example.words)), word)[1:]
        return Choice(others, frozenset({case["head_word"]}))

    def sums(self, cases: pa.Table, right: Bits, units: int) -> SyntaxPartial:
        """The partial of a shard.

        Args:
            cases: its cases.
            right: whether heads predict them, (case, layer, head, direction).
            units: how many units its examples are of.
        """
        offsets = cases["distance"].to_numpy()[:, None] == np.array(OFFSETS)
        labels = self.labels(cases)
        tally = Tally.of(cases, labels, right, offsets)
        rows = self.rows_of(set(labels.tolist()))
        return SyntaxPartial(
            np.asarray(units), {row: tally.predictions(taken) for row, taken in rows.items()}
        )

    def tables(self, total: SyntaxPartial) -> dict[str, pa.Table]:
        """See `Metric.tables`."""
        order = (*self.together, *sorted(total.rows.keys() - set(self.together)))
        rows = {row: total.rows[row] for row in order}
        best = [_best(row, sums, int(total.units)) for row, sums in rows.items()]
        return {
            "syntax": pa.concat_tables(_accuracies(row, sums) for row, sums in rows.items()),
            "syntax_baselines": pa.concat_tables(_offsets(r, sums) for r, sums in rows.items()),
            "syntax_best": table_of(BestRelationRow, _corrected(best)),
            "syntax_gains": gains_table(
                Syntax, RelationGainRow, "relation", rows, int(total.units)
            ),
        }


def relation_label(relation: str, labels: str) -> str:
    """A relation as tables have it: whole where `labels` is full, else without its subtype."""
    return relation if labels == "full" else relation.partition(":")[0]


def _accuracies(relation: str, found: Predictions) -> pa.Table:
    low, high = accuracy_interval(found.heads)
    layer, head, direction = grid(low.shape)
    return pa.table(
        {
            "layer": layer + 1,
            "head": head + 1,
            "direction": np.array(DIRECTIONS)[direction],
            "relation": np.full(low.size, relation),
            "correct": found.heads.c.ravel(),
            "total": np.full(low.size, found.heads.t),
            "accuracy": nullable(ratio(found.heads).ravel()),
            "ci_low": nullable(low.ravel()),
            "ci_high": nullable(high.ravel()),
        }
    )


def _offsets(relation: str, found: Predictions) -> pa.Table:
    order = np.argsort(OFFSETS)
    correct, total = found.paired.b.sum(0)[order], int(found.heads.t)
    return pa.table(
        {
            "baseline": np.full(len(OFFSETS), "offset"),
            "offset": np.array(OFFSETS)[order],
            "relation": np.full(len(OFFSETS), relation),
            "correct": correct,
            "total": np.full(len(OFFSETS), total),
            "accuracy": pa.array([_share(count, total) for count in correct], pa.float64()),
        }
    )


Row = dict[str, object]


def _best(relation: str, found: Predictions, units: int) -> tuple[Row, Comparison]:
    """A relation's best head and offset, and the test of one against the other."""
    correct, by_fold, offsets = found.heads.c, found.paired.h, found.paired.b
    total = int(found.heads.t)
    winner, offset = best(correct.ravel()), best(offsets.sum(0))
    layer, head, direction = np.unravel_index(winner, correct.shape)
    low, high = (float(bound.ravel()[winner]) for bound in accuracy_interval(found.heads))
    heldout = units >= FEWEST_UNITS
    row: Row = {
        "relation": relation,
        "total": total,
        "layer": int(layer) + 1,
        "head": int(head) + 1,
        "direction": DIRECTIONS[direction],
        "accuracy": _share(correct.ravel()[winner], total),
        "ci_low": None if np.isnan(low) else low,
        "ci_high": None if np.isnan(high) else high,
        "heldout_accuracy": _share(heldout_correct(by_fold), total) if heldout else None,
        "baseline_offset": OFFSETS[offset],
        "baseline_accuracy": _share(offsets.sum(0)[offset], total),
        "baseline_heldout_accuracy": _share(heldout_correct(offsets), total) if heldout else None,
    }
    return row, compare(found.paired) if heldout else Comparison()


def _corrected(best: list[tuple[Row, Comparison]]) -> list[Row]:
    """The rows with their tests, corrected for the number of relations.

    (`all` and `all_but_punct` are no relations of their own.)
    """
    single = [None if row["relation"] in Syntax.together else c.p_value for row, c in best]
    return [
        row | comparison.columns(p_holm)
        for (row, comparison), p_holm in zip(best, holm(single), strict=True)
    ]


def _share(correct: np.integer | int, total: int) -> float | None:
    return correct / total if total else None
