"""Heads as predictors of syntactic relations (section 4.2 of the paper; contract: Syntax)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.base import UnitCounts, grid, named, nullable, under
from attnray.metrics.best import FEWEST_UNITS, best, heldout_correct
from attnray.metrics.paired import Comparison, compare, cross_moments, holm
from attnray.metrics.rows import table_of
from attnray.metrics.sums import Partial, accuracy_interval, moments, ratio
from attnray.metrics.words import from_words, to_words

DIRECTIONS = ("dependent_to_head", "head_to_dependent")
#: Baseline offsets in the order that breaks ties: the nearest, then the left one.
OFFSETS = tuple(o for distance in range(1, 9) for o in (-distance, distance))
ALL, ALL_BUT_PUNCT = "all", "all_but_punct"
PUNCT = "punct"
#: Under this name a partial holds what the test of heads against offsets needs.
PAIRED = "paired"


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
class Case:
    """One word with a head: its example in the shard, its word, its head's (from 0), its slot."""

    example: int
    word: int
    head: int
    slot: int


class Syntax:
    """How often the word a head attends to most is the syntactic head, by relation.

    Args:
        merge: mean, first or max: attention from a word of several pieces.
        relation_labels: universal cuts subtypes, full keeps them.
    """

    name = "syntax"
    table_names: tuple[str, ...] = ("syntax", "syntax_baselines", "syntax_best")

    def __init__(self, merge: str, relation_labels: str) -> None:
        self._merge = merge
        self._labels = relation_labels

    @property
    def parameters(self) -> dict[str, object]:
        """What decides a partial's bytes beside the attention."""
        return {"version": 2, "merge": self._merge, "relation_labels": self._labels}

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> SyntaxSums:
        """An accumulator for the examples of a shard and (layers, heads)."""
        return SyntaxSums(examples, heads, self._merge, self._labels == "full")

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The tables `syntax`, `syntax_baselines` and `syntax_best`."""
        relations = _relations(total)
        best = [_best(r, under(total, r), int(total["units"])) for r in relations]
        return {
            "syntax": pa.concat_tables(_accuracies(r, under(total, r)) for r in relations),
            "syntax_baselines": pa.concat_tables(_offsets(r, under(total, r)) for r in relations),
            "syntax_best": table_of(BestRelationRow, _corrected(best)),
        }


class SyntaxSums:
    """Counts correct predictions by slot: a unit and a relation of a shard."""

    def __init__(
        self, examples: Sequence[Example], heads: tuple[int, int], merge: str, full_labels: bool
    ) -> None:
        self._examples = examples
        self._merge = merge
        slots: dict[tuple[int, int, str], int] = {}
        self._cases: list[list[Case]] = []
        for position, example in enumerate(examples):
            labels = [
                (example.unit, example.fold, _label(r, full_labels)) for r in example.relations
            ]
            self._cases.append(
                [
                    Case(position, word, head - 1, slots.setdefault(labels[word], len(slots)))
                    for word, head in enumerate(example.heads)
                    if head > 0 and example.relations[word]
                ]
            )
        self._slots = list(slots)
        self._correct = np.zeros((len(slots), *heads, len(DIRECTIONS)), np.int64)

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """See `Accumulator.add`."""
        group = self._examples[first : first + len(attention)]
        cases = [case for each in self._cases[first : first + len(group)] for case in each]
        if not cases:
            return
        words = max(len(example.words) for example in group)
        word_of_piece = [example.word_of_piece for example in group]
        to_side = to_words(attention, word_of_piece, words)
        maps = from_words(to_side, word_of_piece, words, self._merge).movedim(1, -2)
        counts = [len(example.words) for example in group]
        correct = predicted(maps, counts, [(c.example - first, c.word, c.head) for c in cases])
        slot_of_case = np.array([case.slot for case in cases])
        np.add.at(self._correct[:, layers], slot_of_case, correct.cpu().numpy())

    def partial(self) -> Partial:
        """See `Accumulator.partial`."""
        totals = self._totals()
        offsets = np.zeros((len(self._slots), len(OFFSETS)), np.int64)
        for case in (case for each in self._cases for case in each):
            if case.head - case.word in OFFSETS:
                offsets[case.slot, OFFSETS.index(case.head - case.word)] += 1
        partial: Partial = {"units": np.asarray(len({e.unit for e in self._examples}))}
        for relation, slots in self._rows():
            partial |= named(relation, self._sums(slots, totals, offsets))
        return partial

    def by_unit(self) -> dict[str, UnitCounts]:
        """See `Predictions.by_unit`."""
        totals = self._totals()
        return {relation: self._units(slots, totals) for relation, slots in self._rows()}

    def _totals(self) -> NDArray[np.int64]:
        """The cases of each slot."""
        slots = [case.slot for each in self._cases for case in each]
        return np.bincount(np.array(slots, np.int64), minlength=len(self._slots)).astype(np.int64)

    def _rows(self) -> Iterator[tuple[str, list[int]]]:
        """Each row of the tables with its slots."""
        everything = list(enumerate(self._slots))
        for relation in sorted({label for _, (*_, label) in everything}):
            yield relation, [slot for slot, (*_, label) in everything if label == relation]
        yield ALL, [slot for slot, _ in everything]
        yield ALL_BUT_PUNCT, [slot for slot, (*_, label) in everything if label != PUNCT]

    def _sums(
        self, slots: list[int], totals: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> Partial:
        """The moments over units, and the counts by fold, of some slots."""
        found = self._units(slots, totals)
        count, _, *heads = len(found.units), *self._correct.shape
        unit_of = np.searchsorted(found.units, [self._slots[slot][0] for slot in slots])
        offset = _summed(offsets[slots], unit_of, count)
        paired = cross_moments(found.correct, offset, found.totals, found.folds)
        correct = found.correct.reshape(count, *heads)
        return moments(correct, found.totals) | named(PAIRED, paired)

    def _units(self, slots: list[int], totals: NDArray[np.int64]) -> UnitCounts:
        """The counts by unit of some slots."""
        units, first, unit_of = np.unique(
            np.array([self._slots[slot][0] for slot in slots], np.int64),
            return_index=True,
            return_inverse=True,
        )
        correct, total = (
            _summed(each[slots], unit_of, len(units)) for each in (self._correct, totals)
        )
        folds = np.array([self._slots[slots[place]][1] for place in first], np.int64)
        flat = correct.reshape(len(units), math.prod(correct.shape[1:]))
        return UnitCounts(units, folds, flat, total)


def predicted(maps: Tensor, words: list[int], cases: list[tuple[int, int, int]]) -> Tensor:
    """Whether each case's head is predicted.

    The prediction is the other word with the most attention, ties to the nearest, then to
    the left one; so a case is right when no other word beats its head.

    Args:
        maps: attention between words, (example, layer, head, from, to).
        words: the number of words of each example.
        cases: example, word and its head, from 0.

    Returns:
        bool, (case, layer, head, direction), directions in the order of `DIRECTIONS`.
    """
    example, word, head = (torch.tensor(column) for column in zip(*cases, strict=True))
    other = torch.arange(maps.shape[-1])[None]
    wrong_word = (other == word[:, None]) | (other >= torch.tensor(words)[example][:, None])
    distance = (other - word[:, None]).abs()
    to_head = (head - word).abs()[:, None]
    nearer = (distance < to_head) | ((distance == to_head) & (other < head[:, None]))
    rows = maps.movedim(3, 1), maps.movedim(4, 1)
    both = [_unbeaten(side[example, word], head, wrong_word, nearer) for side in rows]
    return torch.stack(both, dim=-1)


def _unbeaten(rows: Tensor, head: Tensor, wrong_word: Tensor, nearer: Tensor) -> Tensor:
    """Whether no word of each row, (case, layer, head, word), beats the case's head."""
    wide = (slice(None), None, None)
    rows = rows.masked_fill(wrong_word.to(rows.device)[wide], -1)
    index = head.to(rows.device)[(*wide, None)].expand(*rows.shape[:-1], 1)
    at_head = rows.gather(-1, index)
    beaten = (rows > at_head) | ((rows == at_head) & nearer.to(rows.device)[wide])
    return ~beaten.any(-1)


def _summed(values: NDArray[np.int64], groups: ArrayLike, count: int) -> NDArray[np.int64]:
    sums = np.zeros((count, *values.shape[1:]), np.int64)
    np.add.at(sums, np.asarray(groups, np.int64), values)
    return sums


def _label(relation: str, full: bool) -> str:
    return relation if full else relation.partition(":")[0]


def _relations(total: Partial) -> list[str]:
    end = f"/{PAIRED}/t"
    found = {name.removesuffix(end) for name in total if name.endswith(end)} - {ALL, ALL_BUT_PUNCT}
    return [ALL, ALL_BUT_PUNCT, *sorted(found)]


def _accuracies(relation: str, sums: Partial) -> pa.Table:
    low, high = accuracy_interval(sums)
    layer, head, direction = grid(low.shape)
    return pa.table(
        {
            "layer": layer + 1,
            "head": head + 1,
            "direction": np.array(DIRECTIONS)[direction],
            "relation": np.full(low.size, relation),
            "correct": sums["c"].ravel(),
            "total": np.full(low.size, sums["t"]),
            "accuracy": nullable(ratio(sums).ravel()),
            "ci_low": nullable(low.ravel()),
            "ci_high": nullable(high.ravel()),
        }
    )


def _offsets(relation: str, sums: Partial) -> pa.Table:
    correct = sums[f"{PAIRED}/b"].sum(0)
    order = np.argsort(OFFSETS)
    total = int(sums["t"])
    return pa.table(
        {
            "baseline": np.full(len(OFFSETS), "offset"),
            "offset": np.array(OFFSETS)[order],
            "relation": np.full(len(OFFSETS), relation),
            "correct": correct[order],
            "total": np.full(len(OFFSETS), total),
            "accuracy": pa.array([_share(c, total) for c in correct[order]], pa.float64()),
        }
    )


Row = dict[str, object]


def _best(relation: str, sums: Partial, units: int) -> tuple[Row, Comparison]:
    """A relation's best head and offset, and the test of one against the other."""
    total = int(sums["t"])
    winner = best(sums["c"].ravel())
    layer, head, direction = np.unravel_index(winner, sums["c"].shape)
    low, high = (bound.ravel()[winner] for bound in accuracy_interval(sums))
    paired = under(sums, PAIRED)
    by_fold, offsets = paired["h"], paired["b"]
    offset = best(offsets.sum(0))
    heldout = units >= FEWEST_UNITS
    row: Row = {
        "relation": relation,
        "total": total,
        "layer": int(layer) + 1,
        "head": int(head) + 1,
        "direction": DIRECTIONS[direction],
        "accuracy": _share(sums["c"].ravel()[winner], total),
        "ci_low": None if np.isnan(low) else low,
        "ci_high": None if np.isnan(high) else high,
        "heldout_accuracy": _share(heldout_correct(by_fold), total) if heldout else None,
        "baseline_offset": OFFSETS[offset],
        "baseline_accuracy": _share(offsets.sum(0)[offset], total),
        "baseline_heldout_accuracy": _share(heldout_correct(offsets), total) if heldout else None,
    }
    return row, compare(paired) if heldout else Comparison()


def _corrected(best: list[tuple[Row, Comparison]]) -> list[Row]:
    """The rows with their tests, corrected for the number of relations.

    (`all` and `all_but_punct` are no relations of their own.)
    """
    single = [None if row["relation"] in (ALL, ALL_BUT_PUNCT) else c.p_value for row, c in best]
    return [
        row | comparison.columns(p_holm)
        for (row, comparison), p_holm in zip(best, holm(single), strict=True)
    ]


def _share(correct: np.integer | int, total: int) -> float | None:
    return correct / total if total else None
