"""Heads as predictors of antecedents (section 4.3 of the paper; contract: Coreference)."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
from attnray.metrics.paired import COLUMNS, Comparison, compare, cross_moments, holm
from attnray.metrics.sums import Partial, accuracy_interval, moments, ratio
from attnray.metrics.words import from_words, to_words

ALL = "all"
#: Under this name a partial holds what the test of heads against baselines needs.
PAIRED = "paired"
TYPES = (ALL, "pronoun", "proper", "nominal")


@dataclass(frozen=True)
class Anaphor:
    """A mention with an earlier mention of its entity whose head word is another word.

    `candidates` are in the order that breaks ties: nearest first, then the left one;
    `antecedents` are the candidates that are right.
    """

    mention: Antecedent
    candidates: list[int]
    antecedents: frozenset[int]

    @property
    def head(self) -> int:
        """Its head word."""
        return self.mention.head


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
            found.append(_anaphor(mention, sorted(among), right))
    return found


def _anaphor(mention: Antecedent, among: list[int], right: frozenset[int]) -> Anaphor:
    # The sort is stable over ascending words, so the left one of two equally near comes first.
    nearest = sorted(among, key=lambda word: abs(word - mention.head))
    return Anaphor(mention, nearest, right)


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
            "coreference_best": pa.Table.from_pylist(rows, schema=_BEST_SCHEMA),
            "coreference_baselines": pa.Table.from_pylist(
                [self._baseline_row(b, t, under(total, t)) for b in BASELINES for t in TYPES],
                schema=_BASELINE_SCHEMA,
            ),
        }

    def _accuracies(self, mention_type: str, sums: Partial) -> pa.Table:
        low, high = accuracy_interval(sums)
        layer, head = grid(low.shape)
        return pa.table(
            {
                "max_tokens": np.full(low.size, self._max_tokens),
                "layer": layer + 1,
                "head": head + 1,
                "mention_type": np.full(low.size, mention_type),
                "correct": sums["c"].ravel(),
                "total": np.full(low.size, sums["t"]),
                "accuracy": nullable(ratio(sums).ravel()),
                "ci_low": nullable(low.ravel()),
                "ci_high": nullable(high.ravel()),
            }
        )

    def _best(
        self, mention_type: str, sums: Partial, units: int
    ) -> tuple[dict[str, object], Comparison]:
        """The best head and baseline of a type, and the test of one against the other."""
        total, paired = int(sums["t"]), under(sums, PAIRED)
        if not total:
            row: dict[str, object] = {"mention_type": mention_type, "total": 0}
            return {"max_tokens": self._max_tokens, **row}, Comparison()
        winner, rule = best(sums["c"].ravel()), best(paired["b"].sum(0))
        layer, head = np.unravel_index(winner, sums["c"].shape)
        low, high = (float(bound.ravel()[winner]) for bound in accuracy_interval(sums))
        heldout = units >= FEWEST_UNITS
        row = {
            "max_tokens": self._max_tokens,
            "mention_type": mention_type,
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


_BEST_SCHEMA = pa.schema(
    [
        ("max_tokens", pa.int64()),
        ("mention_type", pa.string()),
        ("total", pa.int64()),
        ("layer", pa.int64()),
        ("head", pa.int64()),
        ("accuracy", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("heldout_accuracy", pa.float64()),
        ("baseline", pa.string()),
        ("baseline_accuracy", pa.float64()),
        ("baseline_heldout_accuracy", pa.float64()),
        *COLUMNS,
    ]
)
_BASELINE_SCHEMA = pa.schema(
    [
        ("max_tokens", pa.int64()),
        ("baseline", pa.string()),
        ("mention_type", pa.string()),
        ("correct", pa.int64()),
        ("total", pa.int64()),
        ("accuracy", pa.float64()),
    ]
)


class CoreferenceSums:
    """Whether each head predicts each anaphor of a shard, then summed over units and types."""

    def __init__(
        self, examples: Sequence[Example], heads: tuple[int, int], merge: str, candidates: str
    ) -> None:
        self._examples = examples
        self._heads = heads
        self._merge = merge
        self._anaphors = [anaphors(example, candidates) for example in examples]
        self._correct = [np.zeros((len(each), *heads), np.int64) for each in self._anaphors]

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """See `Accumulator.add`."""
        for position, maps in enumerate(attention, first):
            if self._anaphors[position]:
                correct = self._predicted(position, maps)
                self._correct[position][:, layers] = correct.cpu().numpy()

    def partial(self) -> Partial:
        """See `Accumulator.partial`."""
        right = self._baselines()
        partial: Partial = {}
        for mention_type in TYPES:
            found, unit_of = self._units(mention_type)
            theirs = np.zeros((len(found.units), right.shape[1]), np.int64)
            np.add.at(theirs, unit_of, right[self._of(mention_type)])
            heads = found.correct.reshape(len(found.units), *self._heads)
            paired = cross_moments(found.correct, theirs, found.totals, found.folds)
            sums = moments(heads, found.totals) | named(PAIRED, paired)
            partial |= named(mention_type, sums)
        return partial

    def by_unit(self) -> dict[str, UnitCounts]:
        """See `Predictions.by_unit`."""
        return {mention_type: self._units(mention_type)[0] for mention_type in TYPES}

    def _of(self, mention_type: str) -> NDArray[np.bool_]:
        """Which anaphors are of a type."""
        cases = (a.mention for each in self._anaphors for a in each)
        return np.array([mention_type in (ALL, case.type) for case in cases], bool)

    def _units(self, mention_type: str) -> tuple[UnitCounts, NDArray[np.int64]]:
        """The counts by unit of a type, and the place of each of its anaphors' unit."""
        chosen = self._of(mention_type)
        cases = [a.mention for each in self._anaphors for a in each]
        of_type = [case for case, wanted in zip(cases, chosen, strict=True) if wanted]
        units, first, unit_of = np.unique(
            np.array([case.unit for case in of_type], np.int64),
            return_index=True,
            return_inverse=True,
        )
        correct = np.zeros((len(units), math.prod(self._heads)), np.int64)
        right = np.concatenate(self._correct)[chosen]
        np.add.at(correct, unit_of, right.reshape(len(of_type), correct.shape[1]))
        totals = np.bincount(unit_of, minlength=len(units)).astype(np.int64)
        folds = np.array([of_type[place].fold for place in first], np.int64)
        return UnitCounts(units, folds, correct, totals), unit_of

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

    def _predicted(self, position: int, maps: Tensor) -> Tensor:
        """Whether each anaphor is predicted, (anaphor, layer, head); maps: (l, h, query, key)."""
        example, found = self._examples[position], self._anaphors[position]
        words = len(example.words)
        wanted = sorted({anaphor.head for anaphor in found})
        queries = np.flatnonzero(np.isin(example.word_of_piece, wanted))
        rows = to_words(maps[None, :, :, queries], [example.word_of_piece], words)
        merged = from_words(rows, [example.word_of_piece[queries]], words, self._merge)[0]
        return torch.stack([_right(merged[anaphor.head], anaphor) for anaphor in found])


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
