"""Extract: one shard's examples through the model into its store of attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.config import ModelConfig, StoreConfig
from attnray.corpus.example import Example, from_table
from attnray.errors import InputError
from attnray.model.encoder import Encoder
from attnray.model.source import locate
from attnray.store.attention import AttentionWriter
from attnray.store.codecs import CODECS, Codec
from attnray.store.folder import RunFolder, read_table, replacing

STAGE = "extract"


@dataclass(frozen=True)
class ModelSettings:
    """What an extractor needs to load the model on its own machine.

    `identity` is what the plan found the checkpoint to be.
    """

    config: ModelConfig
    seed: int
    identity: dict[str, object]
    device: str
    threads: int


@dataclass(frozen=True)
class ExtractTask:
    """A shard to extract, and the fingerprint its marker gets."""

    folder: RunFolder
    shard: int
    identity: str
    store: StoreConfig


class Extractor:
    """Holds a model and extracts shards with it, one after another.

    Raises:
        InputError: the checkpoint here is not the one that was planned with.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._threads = settings.threads
        checkpoint = locate(settings.config, settings.seed)
        if checkpoint.identity() != settings.identity:
            raise InputError(
                f"{checkpoint.folder}: not the files the run was planned with; "
                "every machine needs the same checkpoint"
            )
        self._encoder = Encoder(checkpoint, settings.device)

    def extract(self, task: ExtractTask) -> None:
        """Write a shard's attention and commit it."""
        torch.set_num_threads(self._threads)
        examples = read_examples(task.folder, task.shard)
        heads = (self._encoder.layers, self._encoder.heads)
        path = task.folder.attention(task.shard)
        with replacing(path) as temporary:
            lengths = [example.length for example in examples]
            writer = AttentionWriter(temporary, lengths, heads, task.store)
            for codes in self._codes(examples, CODECS[task.store.codec]):
                writer.add(codes)
            writer.close()
        task.folder.commit(STAGE, task.shard, task.identity, [path])

    def _codes(self, examples: list[Example], codec: Codec) -> Iterator[NDArray[np.generic]]:
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

            self._encoder.attention([e.pieces for e in batch], [e.types for e in batch], keep)
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
