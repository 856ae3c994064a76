"""The ragged store gives back what was written, however it was cut."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.config import StoreConfig
from attnray.store.attention import AttentionReader, AttentionWriter, _Held, _rust_pipeline
from attnray.store.codecs import CODECS, Codec
from tests.builders.random_maps import tokens

HEADS = (2, 3)

#: Blocks of one chunk of 64 cells: room for less than a chunk means one.
SMALL = StoreConfig("log16", chunk_cells=64, block_mib=0)


def draw(lengths: list[int], heads: tuple[int, int], seed: int = 0) -> torch.Tensor:
    """Weights of that many examples, (layer, head, cell), with some exact zeros."""
    cells = sum(length * length for length in lengths)
    weights = torch.rand(*heads, cells, generator=torch.Generator().manual_seed(seed))
    return torch.where(weights < 0.1, 0, weights)


def write(
    path: Path,
    lengths: list[int],
    config: StoreConfig,
    heads: tuple[int, int] = HEADS,
    pieces: list[int] | None = None,
) -> NDArray[np.float32]:
    """Write drawn weights in pieces of such sizes, and give them as the codec keeps them."""
    codec = CODECS[config.codec]
    codes = coded(codec, draw(lengths, heads))
    writer = AttentionWriter(path, lengths, heads, config)
    for part in np.split(codes, np.cumsum(pieces or []), axis=2):
        writer.add(part)
    writer.close()
    return codec.decode(codes)


def coded(codec: Codec, weights: torch.Tensor) -> NDArray[Any]:
    """The codes of weights (layer, head, cell)."""
    maps = weights.flatten(0, 1).T[..., None, None]  # each cell the map of one token
    return codec.codes(maps, tokens([1] * len(maps))).reshape(weights.shape)


def example(
    weights: NDArray[np.float32], offsets: NDArray[np.int64], number: int
) -> NDArray[np.float32]:
    cells = weights[:, :, offsets[number] : offsets[number + 1]]
    length = int(np.sqrt(cells.shape[2]))
    return cells.reshape(*weights.shape[:2], length, length)


def whole(name: str) -> None:
    """What tests/store/test_damage.py is about is left alone here."""


def blocks(path: Path) -> list[Path]:
    return sorted(path.glob("weights/c/*/*/*"), key=lambda file: int(file.name))


# Round trips

cases = st.tuples(
    st.sampled_from(sorted(CODECS)),
    st.lists(st.integers(1, 12), min_size=1, max_size=8),
    st.lists(st.integers(0, 200), max_size=6),
    st.sampled_from([0, 1]),
    st.randoms(use_true_random=False),
)


@settings(max_examples=25)
@given(cases)
def test_what_is_written_is_read_whatever_the_lengths_and_pieces(
    tmp_path_factory: pytest.TempPathFactory, case: Any
) -> None:
    codec, lengths, pieces, block_mib, random = case
    path = tmp_path_factory.mktemp("store") / "00000.zarr"
    total = sum(length * length for length in lengths)
    cut = [size for i, size in enumerate(pieces) if sum(pieces[: i + 1]) <= total]
    weights = write(path, lengths, StoreConfig(codec, 64, block_mib), pieces=cut)

    reader = AttentionReader(path, whole)
    assert reader.heads == HEADS
    assert np.diff(reader.offsets).tolist() == [length * length for length in lengths]
    for number in range(len(lengths)):
        found = reader.read(number)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, example(weights, reader.offsets, number))

    ends = sorted(random.sample(range(len(lengths) + 1), random.randint(1, len(lengths) + 1)))
    bounds = list(pairwise(ends))
    for (first, last), cells in zip(bounds, reader.scan(bounds), strict=True):
        low, high = reader.offsets[first], reader.offsets[last]
        np.testing.assert_array_equal(cells, weights[:, :, low:high])


#: Of 512 cells in a block of `large`.
CHUNKS = 2**20 // (144 * 2 * 512)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.float32]]:
    """12 x 12 heads in blocks of 1 MiB, so that the second example lies in four of them."""
    path = tmp_path_factory.mktemp("large") / "00000.zarr"
    config = StoreConfig("log16", chunk_cells=512, block_mib=1)
    weights = write(path, [7, 110, 5, 9, 30], config, (12, 12), [3000, 5000])
    return path, weights


def test_an_example_can_span_several_blocks(large: tuple[Path, NDArray[np.float32]]) -> None:
    path, weights = large
    reader = AttentionReader(path, whole)
    size = CHUNKS * 512
    assert json.loads((path / "weights/zarr.json").read_text())["chunk_grid"] == {
        "name": "regular",
        "configuration": {"chunk_shape": [12, 12, size]},
    }
    assert reader.offsets[2] // size - reader.offsets[1] // size == 3
    for number in range(5):
        expected = example(weights, reader.offsets, number)
        np.testing.assert_array_equal(reader.read(number), expected)


def test_one_head_is_the_slice_of_all(large: tuple[Path, NDArray[np.float32]]) -> None:
    reader = AttentionReader(large[0], whole)
    for number in (0, 1, 4):
        every = reader.read(number)
        np.testing.assert_array_equal(reader.read(number, 4, 11), every[4, 11])
        np.testing.assert_array_equal(reader.read(number, layer=3), every[3])
        np.testing.assert_array_equal(reader.read(number, head=5), every[:, 5])
        np.testing.assert_array_equal(
            reader.read(number, slice(2, 5), slice(10, None)), every[2:5, 10:]
        )


@pytest.mark.parametrize(
    "bounds",
    [
        [(0, 5)],
        [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)],
        [(0, 2), (2, 5)],
        [(1, 2), (4, 5)],
        [(2, 4)],
        [],
    ],
)
def test_a_scan_equals_reads_whatever_the_runs(
    large: tuple[Path, NDArray[np.float32]], bounds: list[tuple[int, int]]
) -> None:
    reader = AttentionReader(large[0], whole)
    runs = list(reader.scan(bounds))
    assert len(runs) == len(bounds)
    for (first, last), cells in zip(bounds, runs, strict=True):
        reads = [reader.read(number).reshape(12, 12, -1) for number in range(first, last)]
        np.testing.assert_array_equal(cells, np.concatenate(reads, axis=2))


def test_what_a_scan_yielded_stays_as_it_was(large: tuple[Path, NDArray[np.float32]]) -> None:
    path, weights = large
    reader = AttentionReader(path, whole)
    runs = list(reader.scan([(i, i + 1) for i in range(5)]))
    np.testing.assert_array_equal(np.concatenate(runs, axis=2), weights)


@pytest.mark.parametrize("pieces", [[64], [1] * 30, [63, 1], [65, 63], [128, 1], [0, 10, 0]])
def test_the_bytes_do_not_depend_on_the_pieces(tmp_path: Path, pieces: list[int]) -> None:
    write(tmp_path / "one", [5, 9, 8], SMALL)
    write(tmp_path / "pieces", [5, 9, 8], SMALL, pieces=pieces)
    names = [file.relative_to(tmp_path / "one") for file in blocks(tmp_path / "one")]
    assert len(names) == 3
    for name in names:
        assert (tmp_path / "pieces" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


# Wrong amounts


@pytest.mark.parametrize("given", [0, 1, 63, 64, 97])
def test_too_few_cells_are_noticed_at_the_end(tmp_path: Path, given: int) -> None:
    writer = AttentionWriter(tmp_path / "a.zarr", [7, 7], HEADS, SMALL)
    writer.add(np.zeros((*HEADS, given), np.uint16))
    with pytest.raises(ValueError, match=f"{given} of 98 cells"):
        writer.close()


@pytest.mark.parametrize("given", [99, 128, 129, 300])
def test_too_many_cells_are_noticed(tmp_path: Path, given: int) -> None:
    writer = AttentionWriter(tmp_path / "a.zarr", [7, 7], HEADS, SMALL)

    def finish() -> None:
        writer.add(np.zeros((*HEADS, given), np.uint16))
        writer.close()

    with pytest.raises(ValueError, match="of 98 cells"):
        finish()


def test_a_store_that_exists_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", [3], SMALL)
    with pytest.raises(Exception, match="exists"):
        AttentionWriter(tmp_path / "a.zarr", [3], HEADS, SMALL)


# The layout on disk


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_chunks_hold_one_head_and_shards_all_and_both_have_checksums(
    tmp_path: Path, codec: str
) -> None:
    write(tmp_path / "a.zarr", [12, 5], StoreConfig(codec, 64, 0))
    meta = json.loads((tmp_path / "a.zarr/weights/zarr.json").read_text())
    assert meta["zarr_format"] == 3
    assert meta["shape"] == [*HEADS, 192]  # 144 + 25 cells in whole blocks of 64
    assert meta["data_type"] == CODECS[codec].dtype
    assert meta["fill_value"] == CODECS[codec].zero
    assert meta["dimension_names"] == ["layer", "head", "cell"]
    assert meta["chunk_grid"]["configuration"]["chunk_shape"] == [*HEADS, 64]
    (sharding,) = meta["codecs"]
    assert sharding["name"] == "sharding_indexed"
    assert sharding["configuration"]["chunk_shape"] == [1, 1, 64]
    assert sharding["configuration"]["codecs"][-1]["name"] == "crc32c"
    assert sharding["configuration"]["index_codecs"][-1]["name"] == "crc32c"


# How much is read


def test_one_head_of_an_example_needs_only_its_chunks(
    large: tuple[Path, NDArray[np.float32]], tmp_path: Path
) -> None:
    """Whatever the others hold."""
    path, weights = large
    spoilt = Path(shutil.copytree(path, tmp_path / "spoilt"))
    reader = AttentionReader(spoilt, whole)
    first, end = reader.offsets[[2, 3]] // 512
    for file in blocks(spoilt):
        content = np.fromfile(file, np.uint8)
        # At its end: where each chunk of each head starts, how many bytes it has; a checksum.
        places = content[-(16 * 144 * CHUNKS + 4) : -4].view("<u8").reshape(12, 12, CHUNKS, 2)
        for layer, head, chunk in np.ndindex(places.shape[:3]):
            start, size = places[layer, head, chunk].tolist()
            number = int(file.name) * CHUNKS + chunk
            if (layer, head) != (7, 1) or not first <= number <= end:
                content[start : start + size] = 255
        content.tofile(file)
    expected = example(weights, reader.offsets, 2)
    np.testing.assert_array_equal(reader.read(2, 7, 1), expected[7, 1])
    with pytest.raises(Exception, match=r".*"):
        reader.read(2)


def test_what_was_read_last_is_held_as_far_as_it_fits() -> None:
    held, read = _Held(20), []

    def get(name: str, size: int = 8) -> None:
        def make() -> NDArray[np.uint8]:
            read.append(name)
            return np.full(size, ord(name), np.uint8)

        assert held.get(name, make).tolist() == [ord(name)] * size

    for name in "abacab":
        get(name)
    assert "".join(read) == "abcb"
    get("d", 21)
    get("b")
    assert "".join(read) == "abcbdb"


def test_a_finished_scan_leaves_the_settings_of_zarr_alone(
    large: tuple[Path, NDArray[np.float32]],
) -> None:
    before = zarr.config.get("codec_pipeline")
    list(AttentionReader(large[0], whole).scan([(0, 1)]))
    assert zarr.config.get("codec_pipeline") == before


def test_writers_side_by_side_take_turns_with_the_settings_of_zarr(tmp_path: Path) -> None:
    """Else some shards were written by another pipeline, in other bytes."""
    made: list[AttentionWriter] = []

    def make() -> None:
        config = StoreConfig("log16", chunk_cells=512, block_mib=1)
        made.append(AttentionWriter(tmp_path / "store", [2], (1, 1), config))

    with _rust_pipeline():
        thread = Thread(target=make)
        thread.start()
        thread.join(0.3)
        assert not made
    thread.join()
    assert made
