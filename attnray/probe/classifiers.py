"""The probes: each scores every candidate for the head of every word (section 5 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: Distances of more words than this count as this many.
FARTHEST = 32


@dataclass(frozen=True)
class Batch:
    """Some sentences, padded to the one with the most words.

    `counts` are their words. `attention` is (sentence, head, from, to), the start and end tokens
    being the last two positions; `vectors` is (sentence, word, size). What a probe does not use
    is None.
    """

    counts: Tensor
    attention: Tensor | None
    vectors: Tensor | None

    @property
    def words(self) -> int:
        """The most words of a sentence."""
        return int(self.counts.max())


class RightBranching(nn.Module):
    """The head of each word is the next one, that of the last word the root. Has no weights."""

    def forward(self, batch: Batch) -> Tensor:
        """See `scores_of`."""
        word = torch.arange(batch.words)
        is_last = word == batch.counts[:, None] - 1
        following = torch.where(is_last, 0, (word + 2).clamp(max=batch.words))
        return nn.functional.one_hot(following, batch.words + 1).to(torch.float32)


class Attention(nn.Module):
    """A learned weight for each head and direction.

    Args:
        heads: how many heads, over all layers.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.pair = nn.Parameter(torch.zeros(2 * heads))
        self.root = nn.Parameter(torch.zeros(4 * heads))

    def forward(self, batch: Batch) -> Tensor:
        """See `scores_of`."""
        pairs, root = features(batch)
        return torch.cat([(root @ self.root)[..., None], pairs @ self.pair], dim=2)


class AttentionAndWords(nn.Module):
    """The weights of heads are linear functions of the two words' vectors.

    One linear map of both vectors is the sum of one of each, so that no tensor of all pairs of
    words by the size of two vectors is ever made.

    Args:
        heads: how many heads, over all layers.
        size: of a word's vector.
    """

    def __init__(self, heads: int, size: int) -> None:
        super().__init__()
        self.of_head = nn.Linear(size, 2 * heads)
        self.of_dependent = nn.Linear(size, 2 * heads, bias=False)
        self.of_root = nn.Linear(size, 4 * heads)

    def forward(self, batch: Batch) -> Tensor:
        """See `scores_of`."""
        pairs, root = features(batch)
        assert batch.vectors is not None
        scores = torch.einsum("bjif,bif->bji", pairs, self.of_head(batch.vectors))
        scores = scores + torch.einsum("bjif,bjf->bji", pairs, self.of_dependent(batch.vectors))
        from_root = (root * self.of_root(batch.vectors)).sum(-1, keepdim=True)
        return torch.cat([from_root, scores], dim=2)


class DistancesAndWords(nn.Module):
    """One hidden layer over the two words' vectors and the distance between them.

    Args:
        size: of a word's vector.
        hidden: of the hidden layer.
    """

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.of_head = nn.Linear(size, hidden)
        self.of_dependent = nn.Linear(size, hidden, bias=False)
        self.of_distance = nn.Embedding(2 * FARTHEST + 1, hidden)
        self.of_root = nn.Parameter(torch.zeros(hidden))
        self.out = nn.Linear(hidden, 1)

    def forward(self, batch: Batch) -> Tensor:
        """See `scores_of`."""
        assert batch.vectors is not None
        word = torch.arange(batch.words, device=batch.vectors.device)
        distance = (word - word[:, None]).clamp(-FARTHEST, FARTHEST) + FARTHEST
        dependent = self.of_dependent(batch.vectors)
        pairs = self.of_head(batch.vectors)[:, None] + self.of_distance(distance)
        among = torch.cat([self.of_root.expand(*dependent.shape[:2], 1, -1), pairs], dim=2)
        scores: Tensor = self.out(torch.relu(among + dependent[:, :, None])).squeeze(-1)
        return scores


Probe = RightBranching | Attention | AttentionAndWords | DistancesAndWords


def scores_of(probe: Probe, batch: Batch) -> Tensor:
    """The score of each candidate for the head of each word.

    Returns:
        (sentence, word, candidate): candidate 0 is the root, the others are the words; -inf for
        the word itself and for padding.
    """
    scores: Tensor = probe(batch)
    words = torch.arange(batch.words, device=scores.device)
    counts = batch.counts.to(scores.device)
    impossible = (words >= counts[:, None])[:, None] | (words == words[:, None])
    allowed = nn.functional.pad(impossible, (1, 0))
    return scores.masked_fill(allowed, -torch.inf)


def features(batch: Batch) -> tuple[Tensor, Tensor]:
    """The attention a probe weighs.

    Returns:
        For each pair of words that from the dependent to the head and back, (sentence,
        dependent, head, feature); for each word that to the start and end tokens and back,
        (sentence, word, feature).
    """
    assert batch.attention is not None
    words, maps = batch.words, batch.attention
    inside = maps[:, :, :words, :words]
    pairs = torch.cat([inside, inside.transpose(2, 3)], dim=1).movedim(1, 3)
    outside = [maps[:, :, :words, words:], maps[:, :, words:, :words].transpose(2, 3)]
    root = torch.cat(outside, dim=3).movedim(1, 3).flatten(2)
    return pairs, root


def make(name: str, heads: int, size: int, hidden: int, seed: int) -> Probe:
    """A probe by its name, with weights drawn from a seed."""
    torch.manual_seed(seed)
    if name == "right_branching":
        return RightBranching()
    if name == "attention":
        return Attention(heads)
    if name == "attention_and_words":
        return AttentionAndWords(heads, size)
    return DistancesAndWords(size, hidden)
