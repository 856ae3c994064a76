"""Syntax, shard by shard: whether each head predicts each word's syntactic head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.words import from_words, to_words
from attnray.metrics.base import Heads
from attnray.metrics.predictions import RIGHT, packed
from attnray.metrics.rows import table_of
from attnray.metrics.syntax import DIRECTIONS, Syntax, SyntaxCase, SyntaxPartial


class SyntaxSums:
    """Right or wrong for every case of a shard, cases in the order of its examples."""

    def __init__(self, metric: Syntax, examples: Sequence[Example], heads: Heads) -> None:
        self._metric = metric
        self._examples = examples
        counts = []
        words, governors = [], []
        for example in examples:
            head = np.array(example.heads, np.int64)
            found = np.flatnonzero((head > 0) & np.array([bool(r) for r in example.relations]))
            counts.append(len(found))
            words.append(found)
            governors.append(head[found] - 1)
        self._ends = np.concatenate([[0], np.cumsum(np.array(counts, np.int64))])
        self._word = np.concatenate([np.empty(0, np.int64), *words])
        self._head = np.concatenate([np.empty(0, np.int64), *governors])
        self._right = np.zeros((len(self._word), *heads, len(DIRECTIONS)), bool)

    def add(self, first: int, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        group = self._examples[first : first + len(maps)]
        start, end = self._ends[first], self._ends[first + len(group)]
        if start == end:
            return
        counts = [len(example.words) for example in group]
        owner = [example.word_of_piece for example in group]
        to_side = to_words(maps, owner, max(counts))
        between = from_words(to_side, owner, max(counts), self._metric.merge).movedim(1, -2)
        of = np.repeat(np.arange(len(group)), np.diff(self._ends[first : first + len(group) + 1]))
        example, word, head = (
            torch.from_numpy(each) for each in (of, self._word[start:end], self._head[start:end])
        )
        right = predicted(between, counts, example, word, head)
        self._right[start:end, layers] = right.cpu().numpy()

    def partial(self) -> SyntaxPartial:
        """See `Accumulator.partial`."""
        units = len({example.unit for example in self._examples})
        return self._metric.sums(self._table(), self._right, units)

    def cases(self) -> pa.Table:
        """See `Accumulator.cases`."""
        table = self._table().append_column(RIGHT, packed(self._right))
        return table.sort_by([("example", "ascending"), ("word", "ascending")])

    def _table(self) -> pa.Table:
        counts = np.diff(self._ends)
        of = np.repeat(np.arange(len(counts)), counts)
        found = [self._examples[place] for place in of.tolist()]
        words = self._word.tolist()

        def spread(values: list[int]) -> np.ndarray:
            return np.array(values, np.int64)[of]

        return table_of(
            SyntaxCase,
            {
                "document": [example.document for example in found],
                "example": spread([example.index for example in self._examples]),
                "word": self._word,
                "head_word": self._head,
                "relation": [e.relations[w] for e, w in zip(found, words, strict=True)],
                "distance": self._head - self._word,
                "unit": spread([example.unit for example in self._examples]),
                "fold": spread([example.fold for example in self._examples]),
            },
        )


def predicted(
    maps: Tensor, words: list[int], example: Tensor, word: Tensor, head: Tensor
) -> Tensor:
    """Whether each case's head is predicted.

    The prediction is the other word with the most attention, ties to the nearest, then to
    the left one; so a case is right when no other word beats its head.

    Args:
        maps: attention between words, (example, layer, head, from, to).
        words: the number of words of each example.
        example: that of each case, from 0.
        word: the word of each case, from 0.
        head: its syntactic head, from 0.

    Returns:
        bool, (case, layer, head, direction), directions in the order of `DIRECTIONS`.
    """
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
