"""Antecedents, shard by shard: whether each head chooses the right one for each anaphor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.words import from_words, to_words
from attnray.metrics.antecedents import Anaphor, Chooser
from attnray.metrics.base import Heads
from attnray.metrics.predictions import Bits


class Choices:
    """Right or wrong for every chooser of a shard; they are in the order of its examples."""

    def __init__(
        self, choosers: Sequence[Chooser], examples: int, heads: Heads, merge: str
    ) -> None:
        self._choosers = choosers
        self._merge = merge
        places = [chooser.place for chooser in choosers]
        self._ends = np.searchsorted(places, np.arange(examples + 1))
        self.right: Bits = np.zeros((len(choosers), *heads), bool)

    def add(self, first: int, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`."""
        for place, own in enumerate(maps, first):
            start, end = self._ends[place], self._ends[place + 1]
            if start < end:
                found = [chooser.anaphor for chooser in self._choosers[start:end]]
                right = predicted(self._choosers[start].example, found, own, self._merge)
                self.right[start:end, layers] = right.cpu().numpy()


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
