"""Training: one pass over the shards, a shard in memory at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from attnray.config import ProbeConfig
from attnray.probe.classifiers import Batch, Probe, make, scores_of
from attnray.probe.kinds import NEEDS
from attnray.probe.sentences import SPECIAL, ProbeSentence, batches, sentences
from attnray.probe.vectors import Vectors
from attnray.store.folder import RunFolder, Shard

#: The most pairs of words of a batch: bounds the memory of long sentences.
BATCH_CELLS = 40_000


def train(
    name: str,
    seed: int,
    folder: RunFolder,
    shards: Sequence[Shard],
    vectors: Vectors | None,
    config: ProbeConfig,
    device: str,
) -> tuple[Probe, int]:
    """A probe after one pass over the training sentences, and the words it learned from.

    Shards come in an order drawn from `seed`, and so do the batches of each; every word with a
    head counts, punctuation too. On a CPU the same seed gives the same bits.
    """
    chooser = random.Random(seed)
    order = list(shards)
    chooser.shuffle(order)
    probe: Probe | None = None
    words = 0
    for shard in order:
        found = sentences(folder, shard, NEEDS[name][0])
        if probe is None:
            probe = make(name, _heads(found), vectors.size if vectors else 0, config.hidden, seed)
            probe = probe.to(device)
            weights = list(probe.parameters())
            optimiser = torch.optim.Adam(weights, config.learning_rate) if weights else None
        whole = list(batches(found, config.batch_sentences, BATCH_CELLS))
        chooser.shuffle(whole)
        words += sum(head >= 0 for sentence in found for head in sentence.example.heads)
        for batch in whole if optimiser else []:
            assert optimiser is not None
            loss = _loss(probe, batch, vectors, device)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    assert probe is not None  # a corpus has shards
    return probe, words


def collated(batch: Sequence[ProbeSentence], vectors: Vectors | None, device: str) -> Batch:
    """Sentences as one batch, on the device."""
    counts = [len(sentence.example.words) for sentence in batch]
    longest = max(counts)
    attention = None
    if batch[0].attention is not None:
        attention = torch.stack([_padded(s.attention, longest) for s in batch]).to(device)
    found = None
    if vectors is not None:
        found = torch.zeros(len(batch), longest, vectors.size)
        for row, sentence in enumerate(batch):
            found[row, : counts[row]] = vectors.of(sentence.example)
        found = found.to(device)
    return Batch(torch.tensor(counts), attention, found)


def _padded(maps: Tensor | None, longest: int) -> Tensor:
    """(head, from, to) with room for more words before the start and end tokens."""
    assert maps is not None
    words = maps.shape[1] - len(SPECIAL)
    place = [*range(words), *range(longest, longest + len(SPECIAL))]
    full = maps.new_zeros(len(maps), longest + len(SPECIAL), longest + len(SPECIAL))
    full[:, torch.tensor(place)[:, None], torch.tensor(place)] = maps
    return full


def _loss(
    probe: Probe, batch: Sequence[ProbeSentence], vectors: Vectors | None, device: str
) -> Tensor:
    """The mean cross entropy over the words that have a head, the root being one."""
    scores = scores_of(probe, collated(batch, vectors, device))
    gold = torch.full(scores.shape[:2], -1)
    for row, sentence in enumerate(batch):
        gold[row, : len(sentence.example.heads)] = torch.tensor(sentence.example.heads)
    return nn.functional.cross_entropy(
        scores.flatten(0, 1), gold.flatten().to(scores.device), ignore_index=-1
    )


def _heads(found: Sequence[ProbeSentence]) -> int:
    """How many heads the attention has, over all layers."""
    attention = found[0].attention
    return 0 if attention is None else len(attention)
