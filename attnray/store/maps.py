"""Maps of a shard from its store, or straight from an encoder by way of the same codes.

Both give the same bits in the same groups: runs of examples of equal length within a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.analysis import Add
from attnray.metrics.base import Heads
from attnray.store.attention import AttentionReader
from attnray.store.codecs import Codec

if TYPE_CHECKING:  # what only reads stored maps imports no model
    from attnray.model.encoder import Encoder

#: The most float64 weights held at once. Of results only the last bits of a weight on "." and ","
#: depend on it (see the metric `patterns`).
GROUP_WEIGHTS = 4_000_000

Codes = NDArray[Any]


class StoredMaps:
    """The maps that a shard's store holds; `examples` are those of the shard."""

    def __init__(self, reader: AttentionReader, examples: Sequence[Example]) -> None:
        self._reader = reader
        self._examples = examples
        self.heads: Heads = reader.heads

    def feed(self, add: Add) -> None:
        """See `Maps.feed`."""
        for first, layers, maps in self.groups():
            add(first, layers, maps)

    def groups(self) -> Iterator[tuple[int, slice, Tensor]]:
        """The first example, the layers, and (example, layer, head, query, key) of each group."""
        bounds = list(_runs(self._examples, self.heads))
        for (first, last), cells in zip(bounds, self._reader.scan(bounds), strict=True):
            for layers, maps in _slices(cells, last - first, self._examples[first].length):
                yield first, layers, maps


class EncodedMaps:
    """The maps that a model gives for the examples of a shard, as a store would hold them."""

    def __init__(self, encoder: Encoder, examples: Sequence[Example], codec: Codec) -> None:
        self._encoder = encoder
        self._examples = examples
        self._codec = codec
        self.heads: Heads = (encoder.layers, encoder.heads)

    def feed(self, add: Add) -> None:
        """See `Maps.feed`."""
        position = 0
        for batch, codes in encoded(self._encoder, self._examples, self._codec):
            ends = np.concatenate([[0], np.cumsum([example.cells for example in batch])])
            for first, last in _runs(batch, self.heads):
                cells = self._codec.decode(codes[:, :, ends[first] : ends[last]])
                for layers, maps in _slices(cells, last - first, batch[first].length):
                    add(position + first, layers, maps)
            position += len(batch)


def encoded(
    encoder: Encoder, examples: Sequence[Example], codec: Codec
) -> Iterator[tuple[list[Example], Codes]]:
    """Each batch of a shard with its coded weights, (layer, head, cell).

    Raises:
        FloatingPointError: the model gave weights that are no numbers.
    """
    for _, group in groupby(examples, key=lambda example: example.batch):
        batch = list(group)
        ragged = Ragged([example.length for example in batch])
        layers: list[Codes] = []

        def keep(
            layer: int, weights: Tensor, ragged: Ragged = ragged, layers: list[Codes] = layers
        ) -> None:
            cells = ragged.cells(weights)
            if not bool(torch.isfinite(cells).all()):
                raise FloatingPointError(f"layer {layer + 1} gave weights that are no numbers")
            layers.append(codec.encode(cells).cpu().numpy())

        encoder.attention([e.pieces for e in batch], [e.types for e in batch], keep)
        yield batch, np.stack(layers)


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


def _slices(
    cells: NDArray[np.float64], examples: int, length: int
) -> Iterator[tuple[slice, Tensor]]:
    """A few layers at a time of a run of examples, from (layer, head, cell)."""
    layers, heads, size = cells.shape
    step = max(1, GROUP_WEIGHTS // (heads * size))
    for layer in range(0, layers, step):
        chosen = slice(layer, min(layer + step, layers))
        maps = torch.from_numpy(cells[chosen]).reshape(-1, heads, examples, length, length)
        yield chosen, maps.movedim(2, 0).contiguous()


def _runs(examples: Sequence[Example], heads: Heads) -> Iterator[tuple[int, int]]:
    """First and end of runs of equal length in a batch, each of so many weights or one example."""
    most = GROUP_WEIGHTS // (heads[0] * heads[1])
    first = 0
    for position in range(1, len(examples) + 1):
        start = examples[first]
        end = position == len(examples)
        full = (position - first + 1) * start.cells > most
        if end or full or not _alike(start, examples[position]):
            yield first, position
            first = position


def _alike(one: Example, other: Example) -> bool:
    return one.length == other.length and one.batch == other.batch
