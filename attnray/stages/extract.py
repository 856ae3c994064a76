"""Extract: one shard's examples through the model into its store of attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.config import StoreConfig
from attnray.corpus.example import Example, from_table
from attnray.model.encoder import Encoder
from attnray.store.attention import AttentionWriter
from attnray.store.codecs import CODECS, Codec
from attnray.store.folder import RunFolder, read_table, replacing

STAGE = "extract"


@dataclass(frozen=True)
class ExtractTask:
    """A shard to extract, and the fingerprint its marker gets."""

    stage: ClassVar[str] = STAGE
    folder: RunFolder
    shard: int
    identity: str
    store: StoreConfig

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"shard {self.shard:05}"


def extract(encoder: Encoder, task: ExtractTask) -> None:
    """Write a shard's attention and commit it."""
    examples = read_examples(task.folder, task.shard)
    path = task.folder.attention(task.shard)
    with replacing(path) as temporary:
        lengths = [example.length for example in examples]
        writer = AttentionWriter(temporary, lengths, (encoder.layers, encoder.heads), task.store)
        for codes in _codes(encoder, examples, CODECS[task.store.codec]):
            writer.add(codes)
        writer.close()
    task.folder.commit(STAGE, task.shard, task.identity, [path])


def _codes(
    encoder: Encoder, examples: list[Example], codec: Codec
) -> Iterator[NDArray[np.generic]]:
    """The coded weights of each batch, (layer, head, cell)."""
    for _, group in groupby(examples, key=lambda example: example.batch):
        batch = list(group)
        ragged = Ragged([example.length for example in batch])
        layers: list[NDArray[np.generic]] = []

        def keep(
            layer: int,
            weights: Tensor,
            ragged: Ragged = ragged,
            layers: list[NDArray[np.generic]] = layers,
        ) -> None:
            cells = ragged.cells(weights)
            if not bool(torch.isfinite(cells).all()):
                raise FloatingPointError(f"layer {layer + 1} gave weights that are no numbers")
            layers.append(codec.encode(cells).cpu().numpy())

        encoder.attention([e.pieces for e in batch], [e.types for e in batch], keep)
        yield np.stack(layers)


class Ragged:
    """Takes the padding out of a batch's weights: `lengths` are those of its examples."""

    def __init__(self, lengths: list[int]) -> None:
        longest = max(lengths)
        self._padded = min(lengths) < longest
        square = np.arange(longest)
        self._index = torch.from_numpy(
            np.concatenate(
                [
                    ((row * longest + square[:n, None]) * longest + square[None, :n]).ravel()
                    for row, n in enumerate(lengths)
                ]
            )
        )

    def cells(self, weights: Tensor) -> Tensor:
        """(batch, head, query, key) to (head, cell), example after example, row by row."""
        flat = weights.transpose(0, 1).flatten(1)
        return flat[:, self._index.to(weights.device)] if self._padded else flat


def read_examples(folder: RunFolder, shard: int) -> list[Example]:
    """The examples of a shard, in the order in which its attention is stored."""
    return from_table(read_table(folder.shard(shard)))
