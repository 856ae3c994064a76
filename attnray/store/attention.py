"""The ragged Zarr store of one shard's attention: no padding, one head a small read.

`weights` has shape (layer, head, cell): the cells of an example are its query x key weights,
row by row, and those of example i stand at `offsets[i]` to `offsets[i + 1]`. An inner chunk
holds one head; an outer Zarr shard every head of a block of cells, and has one writer. The
last block is filled up with zeros: only what is read as a whole block has its checksums
checked by zarrs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

from attnray.config import StoreConfig
from attnray.store.codecs import CODECS, Codec

Codes = NDArray[Any]

#: How much of what a reader has read it holds, in bytes of codes.
HELD_BYTES = 128 << 20

#: Zarr's settings are those of all threads: of two that change them, one would find the other's.
_SETTING = Lock()


@contextmanager
def _rust_pipeline() -> Iterator[None]:
    """zarrs: many times faster on whole outer shards, but it skips checksums on parts of one."""
    settings = {"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "threading.max_workers": 1}
    with _SETTING, zarr.config.set(settings):
        yield


class AttentionWriter:
    """Writes the attention of one shard, block after block.

    Args:
        path: the folder of the Zarr group, which must not exist.
        lengths: the number of tokens of each example, in the order of writing.
        heads: (layers, heads).
        config: the codec and the sizes of chunks.
    """

    def __init__(
        self, path: Path, lengths: Sequence[int], heads: tuple[int, int], config: StoreConfig
    ) -> None:
        codec = CODECS[config.codec]
        offsets = np.concatenate([[0], np.cumsum(np.square(np.array(lengths, np.int64)))])
        self._block = _block_cells(heads, codec, config)
        compressor, shuffle = codec.blosc
        with _rust_pipeline():
            group: Any = zarr.create_group(path, zarr_format=3, attributes={"codec": codec.name})
            group.create_array("offsets", data=offsets, compressors=[Crc32cCodec()])
            self._weights: Any = group.create_array(
                "weights",
                shape=(*heads, -(-int(offsets[-1]) // self._block) * self._block),
                chunks=(1, 1, config.chunk_cells),
                shards=(*heads, self._block),
                dtype=codec.dtype,
                compressors=[BloscCodec(cname=compressor, shuffle=shuffle), Crc32cCodec()],
                fill_value=codec.zero,
                dimension_names=("layer", "head", "cell"),
            )
        self._cells = int(offsets[-1])
        self._zero = codec.zero
        self._buffer = np.empty((*heads, self._block), codec.dtype)
        self._filled = 0
        self._written = 0

    def add(self, codes: Codes) -> None:
        """Append the codes of the next examples, shape (layer, head, cell)."""
        while codes.shape[2]:
            taken = min(codes.shape[2], self._block - self._filled)
            self._buffer[:, :, self._filled : self._filled + taken] = codes[:, :, :taken]
            self._filled += taken
            codes = codes[:, :, taken:]
            if self._filled == self._block:
                self._flush()

    def close(self) -> None:
        """Write what is left.

        Raises:
            ValueError: fewer cells were added than the lengths announced.
        """
        added = self._written + self._filled
        if added != self._cells:
            raise ValueError(f"{added} of {self._cells} cells were written")
        if self._filled:
            self._buffer[:, :, self._filled :] = self._zero
            self._flush()

    def _flush(self) -> None:
        end = self._written + self._block
        self._weights[:, :, self._written : end] = self._buffer
        self._written, self._filled = end, 0


class AttentionReader:
    """Reads the attention of one shard.

    Zarr reads a block that is missing, or that it looks for elsewhere, as weights of 0, and zarrs
    does not look at checksums within one: each file is checked before it is read.

    Args:
        path: the folder of the Zarr group.
        check: raises an error for a file, by its path in there, that is not what was written.

    `offsets` has one entry more than there are examples; `heads` is (layers, heads).
    """

    def __init__(self, path: Path, check: Callable[[str], None]) -> None:
        for name in ("zarr.json", "weights/zarr.json", "offsets/zarr.json", "offsets/c/0"):
            check(name)
        with _rust_pipeline():
            group: Any = zarr.open_group(path, mode="r")
            self._weights: Any = group["weights"]
        self._check = check
        self._codec = CODECS[str(group.attrs["codec"])]
        self._block: int = self._weights.shards[2]
        self._chunk: int = self._weights.chunks[2]
        self._held = _Held(HELD_BYTES)
        self.offsets: NDArray[np.int64] = np.asarray(group["offsets"][:])
        self.heads: tuple[int, int] = (self._weights.shape[0], self._weights.shape[1])

    def read(
        self, example: int, layer: slice | int = slice(None), head: slice | int = slice(None)
    ) -> NDArray[np.float32]:
        """The weights of one example, (…, query, key), reading only the chunks they lie in.

        (Many examples lie in a chunk: those that were read last are held.)
        """
        start, end = int(self.offsets[example]), int(self.offsets[example + 1])
        for number in self._blocks(start, end):
            self._check_block(number)
        size, parts = self._chunk, []
        for number in range(start // size, -(-end // size)):
            cells = self._chunk_of(number, layer, head)
            low, high = max(start - number * size, 0), min(end - number * size, size)
            parts.append(cells[..., low:high])
        decoded = self._codec.decode(np.concatenate(parts, axis=-1))
        length = int(np.sqrt(end - start))
        return decoded.reshape(*decoded.shape[:-1], length, length)

    def scan(self, bounds: Sequence[tuple[int, int]]) -> Iterator[NDArray[np.float32]]:
        """The weights of runs of examples, given by first and end, each in ascending order.

        Yields (layer, head, cell) arrays. Blocks are read whole, one after another, which is
        fast and checks their checksums; no more than one is held beside what is yielded.
        """
        weights, block = self._weights, self._block
        cached, codes = -1, np.empty(0)
        for first, last in bounds:
            start, end = int(self.offsets[first]), int(self.offsets[last])
            parts = []
            for number in self._blocks(start, end):
                if number != cached:
                    self._check_block(number)
                    cached, codes = number, weights[:, :, number * block : (number + 1) * block]
                low, high = max(start - number * block, 0), min(end - number * block, block)
                parts.append(codes[:, :, low:high])
            yield self._codec.decode(np.concatenate(parts, axis=2))

    def _chunk_of(self, number: int, layer: slice | int, head: slice | int) -> Codes:
        """The codes of some heads in a column of chunks."""
        cells = slice(number * self._chunk, (number + 1) * self._chunk)
        name = f"{number} {layer} {head}"
        return self._held.get(name, lambda: self._weights[layer, head, cells])

    def _blocks(self, start: int, end: int) -> range:
        """The blocks that cells lie in."""
        return range(start // self._block, -(-end // self._block))

    def _check_block(self, number: int) -> None:
        self._check(f"weights/c/0/0/{number}")


class _Held:
    """What was read last, as much of it as fits into so many bytes; threads share it."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._arrays: OrderedDict[str, Codes] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str, read: Callable[[], Codes]) -> Codes:
        """An array by name; it is read where it is not held."""
        with self._lock:
            if name in self._arrays:
                self._arrays.move_to_end(name)
                return self._arrays[name]
        found = read()
        with self._lock:
            if name not in self._arrays:
                self._arrays[name] = found
                self._left -= found.nbytes
            while self._left < 0:
                self._left += self._arrays.popitem(last=False)[1].nbytes
        return found


def _block_cells(heads: tuple[int, int], codec: Codec, config: StoreConfig) -> int:
    """The cells of a block: a whole number of chunks, in about `block_mib` of memory."""
    bytes_per_cell = heads[0] * heads[1] * np.dtype(codec.dtype).itemsize
    chunks = config.block_mib * 2**20 // (bytes_per_cell * config.chunk_cells)
    return max(1, chunks) * config.chunk_cells
