"""The sentences of a shard as probes see them: words, heads, and attention between words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.words import from_words, to_words
from attnray.model.pieces import TokenRole
from attnray.store.folder import RunFolder, Shard
from attnray.store.maps import StoredMaps

#: Behind a sentence's words stand its start and end tokens.
SPECIAL = (TokenRole.CLS, TokenRole.SEP)


@dataclass(frozen=True)
class ProbeSentence:
    """A sentence and its attention between words: float32, (head, from, to), or None.

    Heads of all layers are one axis. The last two positions of `from` and `to` are the start
    and the end token.
    """

    example: Example
    attention: Tensor | None


def sentences(folder: RunFolder, shard: Shard, attention: bool) -> list[ProbeSentence]:
    """The sentences of a shard, by length; without attention where it is not needed."""
    examples = folder.examples(*shard)
    if not attention:
        return [ProbeSentence(example, None) for example in examples]
    stored = StoredMaps(folder.attention(shard.number), examples)
    found: list[ProbeSentence] = []
    parts: list[list[Tensor]] = []
    for run, layers, maps in stored.groups():
        group = run.examples
        parts.append(_between_words(group, maps.to(torch.float64)))
        if layers.stop == stored.heads[0]:
            found += map(ProbeSentence, group, map(torch.cat, zip(*parts, strict=True)))
            parts = []
    return found


def _between_words(group: Sequence[Example], maps: Tensor) -> list[Tensor]:
    """The attention of examples of equal length between words, cut to each one's words."""
    words = max(len(example.words) for example in group) + len(SPECIAL)
    owner = [_owner(example) for example in group]
    between = from_words(to_words(maps, owner, words), owner, words, "mean")
    # (example, from, layer, head, to) to (example, head, from, to)
    heads = between.flatten(2, 3).movedim(2, 1).to(torch.float32)
    return [
        heads[row, :, : len(e.words) + len(SPECIAL), : len(e.words) + len(SPECIAL)].contiguous()
        for row, e in enumerate(group)
    ]


def _owner(example: Example) -> np.typing.NDArray[np.int64]:
    """The word of each piece, the start and end tokens being words behind the last one."""
    owner = example.word_of_piece.astype(np.int64)
    for place, role in enumerate(SPECIAL):
        owner[example.roles == role] = len(example.words) + place
    return owner


def batches(
    found: Sequence[ProbeSentence], most_sentences: int, most_cells: int
) -> Iterator[list[ProbeSentence]]:
    """Runs of sentences of about one length, each of at most so many, and so many word pairs."""
    batch: list[ProbeSentence] = []
    for sentence in sorted(found, key=lambda each: len(each.example.words)):
        cells = (len(batch) + 1) * len(sentence.example.words) ** 2
        if batch and (len(batch) == most_sentences or cells > most_cells):
            yield batch
            batch = []
        batch.append(sentence)
    if batch:
        yield batch
