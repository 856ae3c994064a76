"""Heads as predictors of antecedents (section 4.3 of the paper; contract: Coreference)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Antecedent, Example
from attnray.metrics.base import grid, named, nullable, under
from attnray.metrics.sums import Partial, accuracy_interval, moments, ratio
from attnray.metrics.words import from_words, to_words

ALL = "all"
TYPES = (ALL, "pronoun", "proper", "nominal")


@dataclass(frozen=True)
class Anaphor:
    """A mention with an earlier mention of its entity whose head word is another word.

    `head` is its head word; `candidates` are in the order that breaks ties: nearest first,
    then the left one; `antecedents` are the candidates that are right.
    """

    head: int
    type: str
    unit: int
    candidates: list[int]
    antecedents: frozenset[int]


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
    return Anaphor(mention.head, mention.type, mention.unit, nearest, right)


def nearest(anaphor: Anaphor, _: Example) -> int:
    """The nearest candidate."""
    return anaphor.candidates[0]


def head_match(anaphor: Anaphor, example: Example) -> int | None:
    """The nearest candidate with the form of the anaphor's head word, case ignored."""
    form = example.words[anaphor.head].casefold()
    same = (word for word in anaphor.candidates if example.words[word].casefold() == form)
    return next(same, None)


Baseline = Callable[[Anaphor, Example], int | None]
BASELINES: dict[str, Baseline] = {"nearest": nearest, "head_match": head_match}


class Coreference:
    """How often an anaphor's head word attends most to the head word of an antecedent.

    Args:
        max_tokens: what the documents were cut to; a column of the tables.
        merge: mean, first or max: attention from a word of several pieces.
        candidates: mentions or words.
    """

    name = "coreference"
    table_names: tuple[str, ...] = ("coreference", "coreference_baselines")

    def __init__(self, max_tokens: int, merge: str, candidates: str) -> None:
        self._max_tokens = max_tokens
        self._merge = merge
        self._candidates = candidates

    @property
    def parameters(self) -> dict[str, object]:
        """What decides a partial's bytes beside the attention."""
        return {"version": 1, "merge": self._merge, "candidates": self._candidates}

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> CoreferenceSums:
        """An accumulator for the examples of a shard and (layers, heads)."""
        return CoreferenceSums(examples, heads, self._merge, self._candidates)

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The tables `coreference` and `coreference_baselines`."""
        heads = pa.concat_tables(self._accuracies(t, under(total, t)) for t in TYPES)
        return {
            "coreference": heads,
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

    def _baseline_row(self, baseline: str, mention_type: str, sums: Partial) -> dict[str, object]:
        correct, total = int(sums[baseline]), int(sums["t"])
        return {
            "max_tokens": self._max_tokens,
            "baseline": baseline,
            "mention_type": mention_type,
            "correct": correct,
            "total": total,
            "accuracy": correct / total if total else None,
        }


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
        cases = [a for each in self._anaphors for a in each]
        correct = np.concatenate(self._correct)
        # Baselines choose among mentions, whatever the heads choose among.
        among_mentions = [(a, e) for e in self._examples for a in anaphors(e, "mentions")]
        right = {
            name: np.array([baseline(a, e) in a.antecedents for a, e in among_mentions], np.int64)
            for name, baseline in BASELINES.items()
        }
        partial: Partial = {}
        for mention_type in TYPES:
            chosen = np.array([mention_type in (ALL, a.type) for a in cases], bool)
            units = np.array([a.unit for a in cases], np.int64)[chosen]
            sums = _by_unit(units, correct[chosen])
            sums |= {name: hits[chosen].sum() for name, hits in right.items()}
            partial |= named(mention_type, sums)
        return partial

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


def _by_unit(units: NDArray[np.int64], correct: NDArray[np.int64]) -> Partial:
    names, unit_of = np.unique(units, return_inverse=True)
    counts = np.zeros((len(names), *correct.shape[1:]), np.int64)
    np.add.at(counts, unit_of, correct)
    return moments(counts, np.bincount(unit_of, minlength=len(names)).astype(np.int64))
