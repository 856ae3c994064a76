"""Maps of a shard from its store, or straight from an encoder: both to the same metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.accumulators.pending import Pending
from attnray.metrics.analysis import Add
from attnray.metrics.base import Heads
from attnray.metrics.groups import Group, batches
from attnray.store.attention import AttentionReader, AttentionWriter
from attnray.store.codecs import Codec

if TYPE_CHECKING:  # what only reads stored maps imports no model
    from attnray.model.encoder import Encoder

#: The most weights held at once; part of no result.
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
        for group, layers, maps in self.groups():
            add(group, layers, maps)

    def groups(self) -> Iterator[tuple[Group, slice, Tensor]]:
        """Runs of examples of equal length, a few layers at a time, with their maps."""
        bounds = list(_runs(self._examples, self.heads))
        for (first, last), cells in zip(bounds, self._reader.scan(bounds), strict=True):
            group = Group(first, self._examples[first:last])
            for layers, maps in _slices(cells, last - first, self._examples[first].length):
                yield group, layers, maps


class EncodedMaps:
    """The maps that a model gives for the examples of a shard, layer by layer.

    Args:
        encoder: the model.
        examples: those of the shard.
        codec: as a store of it would hold them; None for what the model gives.
    """

    def __init__(
        self, encoder: Encoder, examples: Sequence[Example], codec: Codec | None = None
    ) -> None:
        self._encoder = encoder
        self._examples = examples
        self._codec = codec
        self.heads: Heads = (encoder.layers, encoder.heads)

    def feed(self, add: Add) -> None:
        """See `Maps.feed`.

        Raises:
            FloatingPointError: the model gave weights that are no numbers.
        """
        numbers = Numbers(self.heads[0])
        for group in batches(self._examples):

            def hand_on(layer: int, weights: Tensor, group: Group = group) -> None:
                numbers.check(weights)
                if self._codec is not None:
                    codes = self._codec.codes(weights, group)
                    weights = _padded(self._codec.decode(codes), group)
                add(group, slice(layer, layer + 1), weights[:, None])

            self._encoder.attention(*group.inputs, hand_on)
        numbers.finish()


class Numbers:
    """Refuses weights that are no numbers, without waiting for a GPU to say so."""

    def __init__(self, layers: int) -> None:
        self._layers = layers
        self._pending = Pending()
        self._largest: list[Tensor] = []

    def check(self, weights: Tensor) -> None:
        """Look at the weights of the next layer; what they are is known by `finish`."""
        self._largest.append(weights.amax())
        if len(self._largest) == self._layers:
            self._pending.put(torch.stack(self._largest), _refuse)
            self._largest = []

    def finish(self) -> None:
        """Wait for all that was looked at."""
        self._pending.finish()


class Storing:
    """Writes maps to a store as they come, batch after batch, beside what makes them."""

    def __init__(self, writer: AttentionWriter, codec: Codec, heads: Heads) -> None:
        self._writer = writer
        self._codec = codec
        self._heads = heads
        self._pending = Pending()
        self._codes: Codes = np.empty(0)
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """See `Accumulator.add`; layers come one by one."""
        beside = maps.device.type != "cpu"

        def take(found: Codes) -> None:
            if layers.start == 0:
                self._codes = np.empty((*self._heads, group.cells), found.dtype)
            self._codes[layers.start] = found
            if layers.stop == self._heads[0]:
                self._write(self._codes, group, beside)

        self._pending.put(self._codec.coded(maps[:, 0], group), take)

    def _write(self, codes: Codes, group: Group, beside: bool) -> None:
        """Write a batch; while a GPU works on the next, in a thread, one batch at a time."""
        if self._writing is not None:
            self._writing.result()
        if beside:
            self._writing = self._thread.submit(self._finish, codes, group)
        else:
            self._finish(codes, group)

    def _finish(self, codes: Codes, group: Group) -> None:
        self._writer.add(self._codec.finished(codes, group))

    def finish(self) -> None:
        """Wait until everything is with the writer."""
        self._pending.finish()
        self._thread.shutdown()
        if self._writing is not None:
            self._writing.result()


def _refuse(largest: NDArray[np.float32]) -> None:
    """Refuse a batch with weights that are no numbers, by the largest weight of each layer."""
    if not np.isfinite(largest).all():
        layer = int(np.flatnonzero(~np.isfinite(largest))[0]) + 1
        raise FloatingPointError(f"layer {layer} gave weights that are no numbers")


def _padded(cells: NDArray[np.float32], group: Group) -> Tensor:
    """(head, cell) to (example, head, query, key), padded to the longest example."""
    longest = int(group.lengths.max())
    maps = np.zeros((len(group.examples), len(cells), longest, longest), np.float32)
    for own, at, n in zip(maps, group.offsets, group.lengths, strict=True):
        own[:, :n, :n] = cells[:, at : at + n * n].reshape(-1, n, n)
    return torch.from_numpy(maps)


def _slices(
    cells: NDArray[np.float32], examples: int, length: int
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
