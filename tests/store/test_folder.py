"""Pieces of a run count when whole and made from the same inputs, and are never half there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import attnray
from attnray.metrics.sums import Partial
from attnray.store.folder import (
    RunFolder,
    fingerprint,
    read_json,
    replacing,
    sha256,
    write_json,
    write_table,
)
from attnray.store.partials import read_partial, write_partial

STAGE, SHARD, IDENTITY = "extract", 3, "0123456789abcdef"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run folder with one committed piece: a file, and a folder of two files."""
    folder = RunFolder(tmp_path / "run")
    write_json(folder.shard(SHARD), {"a": 1})
    with replacing(folder.attention(SHARD)) as store:
        (store / "inner").mkdir(parents=True)
        (store / "zarr.json").write_text("{}")
        (store / "inner" / "0").write_bytes(bytes(100))
    folder.commit(STAGE, SHARD, IDENTITY, [folder.shard(SHARD), folder.attention(SHARD)])
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Markers


def test_pieces_lie_where_the_contract_says(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    found = (
        folder.manifest,
        folder.shard(0),
        folder.attention(12),
        folder.partial("syntax", 3),
        folder.marker("extract", 100000),
        folder.table("heads"),
        folder.figure("heads"),
        folder.report,
    )
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "manifest.json",
        "shards/00000.parquet",
        "attention/00012.zarr",
        "partials/syntax/00003.parquet",
        "done/extract/100000.json",
        "tables/heads.parquet",
        "figures/heads.svg",
        "report.html",
    ]


def test_a_marker_lists_the_files_with_sizes_and_checksums(run: RunFolder) -> None:
    marker = read_json(run.marker(STAGE, SHARD))
    assert marker is not None
    assert marker["fingerprint"] == IDENTITY
    assert set(marker["files"]) == {
        "shards/00003.parquet",
        "attention/00003.zarr/zarr.json",
        "attention/00003.zarr/inner/0",
    }
    for name, file in marker["files"].items():
        path = run.path / name
        assert file == {"size": path.stat().st_size, "sha256": sha256(path)}


def test_a_marker_counts_for_its_stage_shard_and_fingerprint_alone(run: RunFolder) -> None:
    assert run.done(STAGE, SHARD, IDENTITY)
    assert not run.done(STAGE, SHARD, "fedcba9876543210")
    assert not run.done(STAGE, SHARD + 1, IDENTITY)
    assert not run.done("analyse-patterns", SHARD, IDENTITY)


def test_a_run_folder_can_be_moved(run: RunFolder, tmp_path: Path) -> None:
    run.path.rename(tmp_path / "elsewhere")
    assert RunFolder(tmp_path / "elsewhere").done(STAGE, SHARD, IDENTITY)
    assert not run.done(STAGE, SHARD, IDENTITY)


FILES = ["shards/00003.parquet", "attention/00003.zarr/zarr.json", "attention/00003.zarr/inner/0"]


@pytest.mark.parametrize("name", FILES)
def test_a_piece_with_a_missing_file_is_not_done(run: RunFolder, name: str) -> None:
    (run.path / name).unlink()
    assert not run.done(STAGE, SHARD, IDENTITY)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", [-1, 1])
def test_a_piece_with_a_file_of_another_size_is_not_done(
    run: RunFolder, name: str, change: int
) -> None:
    path = run.path / name
    os.truncate(path, path.stat().st_size + change)
    assert not run.done(STAGE, SHARD, IDENTITY)


def test_a_folder_in_the_place_of_a_file_is_not_done(run: RunFolder) -> None:
    run.shard(SHARD).unlink()
    run.shard(SHARD).mkdir()
    assert not run.done(STAGE, SHARD, IDENTITY)


def test_a_new_commit_replaces_the_marker(run: RunFolder) -> None:
    write_json(run.shard(SHARD), {"a": 22})
    run.commit(STAGE, SHARD, "another", [run.shard(SHARD)])
    assert run.done(STAGE, SHARD, "another")
    assert not run.done(STAGE, SHARD, IDENTITY)


@pytest.mark.parametrize("content", ["", "{", "{}"])
def test_a_marker_that_a_power_cut_left_broken_does_not_count(run: RunFolder, content: str) -> None:
    run.marker(STAGE, SHARD).write_text(content)
    assert not run.done(STAGE, SHARD, IDENTITY)


def test_fingerprints_depend_on_content_and_not_on_order() -> None:
    one = fingerprint({"a": 1, "b": {"c": [1, 2], "d": None}})
    assert one == fingerprint({"b": {"d": None, "c": [1, 2]}, "a": 1})
    others: list[dict[str, object]] = [
        {"a": 2, "b": {"c": [1, 2], "d": None}},
        {"a": 1, "b": {"c": [2, 1], "d": None}},
        {"a": "1", "b": {"c": [1, 2], "d": None}},
        {"a": 1, "b": {"c": [1, 2]}},
    ]
    assert one not in map(fingerprint, others)


# Replacing


def test_what_is_written_appears_at_the_end_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["file"]


def test_an_error_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_an_error_leaves_the_old_folder_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / "new").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(path) == ["old"]
    assert names(tmp_path) == ["folder"]


def test_an_error_before_anything_is_written_is_the_error_that_is_seen(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "file"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == []


def test_a_file_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a longer old text")
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("old_is_folder", [True, False])
def test_a_folder_replaces_a_folder_or_a_file(tmp_path: Path, old_is_folder: bool) -> None:
    path = tmp_path / "thing"
    if old_is_folder:
        (path / "deep").mkdir(parents=True)
        (path / "deep" / "old").write_text("old")
    else:
        path.write_text("old")
    with replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "new").write_text("new")
    assert names(path) == ["new"]
    assert names(tmp_path) == ["thing"]


def test_leftovers_of_the_same_path_alone_are_cleaned(tmp_path: Path) -> None:
    (tmp_path / ".00001.zarr.dead" / "deep").mkdir(parents=True)
    (tmp_path / ".00001.zarr.dead" / "deep" / "0").write_text("half")
    (tmp_path / ".00001.zarr.beef").write_text("half")
    (tmp_path / ".00002.zarr.alive").write_text("another writer's")
    (tmp_path / "00002.zarr").write_text("another's")
    with replacing(tmp_path / "00001.zarr") as temporary:
        temporary.mkdir()
    assert names(tmp_path) == [".00002.zarr.alive", "00001.zarr", "00002.zarr"]


WRITER = """
import sys, time
from pathlib import Path
from attnray.store.folder import replacing

path, kind = Path(sys.argv[1]), sys.argv[2]
with replacing(path) as temporary:
    if kind == "folder":
        temporary.mkdir()
    with (temporary / "0" if kind == "folder" else temporary).open("wb") as file:
        file.write(bytes(100_000))
        file.flush()
        print("half", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("old", [None, "old"])
def test_a_killed_writer_leaves_no_half_piece_under_the_name(
    tmp_path: Path, kind: str, old: str | None
) -> None:
    path = tmp_path / "piece"
    if old:
        path.write_text(old)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), kind],
        stdout=subprocess.PIPE,
        cwd=Path(attnray.__file__).parents[1],
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"half\n"
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    assert (path.read_text() if path.exists() else None) == old
    assert len(names(tmp_path)) == (2 if old else 1)

    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == ["piece"]
    assert path.read_text() == "whole"


# Files


def test_json_comes_back_and_none_stands_for_no_file(tmp_path: Path) -> None:
    content = {"a": [1, 2.5, None], "é": {"b": "ü"}}
    write_json(tmp_path / "deep" / "a.json", content)
    assert read_json(tmp_path / "deep" / "a.json") == content
    assert json.loads((tmp_path / "deep" / "a.json").read_text()) == content
    assert read_json(tmp_path / "b.json") is None


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": object()})
    assert read_json(tmp_path / "a.json") == {"a": 1}
    assert names(tmp_path) == ["a.json"]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    for name in ("one", "two"):
        write_table(tmp_path / name, table)
    assert sha256(tmp_path / "one") == sha256(tmp_path / "two")
    assert pq.read_table(tmp_path / "one").equals(table)


# Partials


def assert_same(found: Partial, expected: Partial) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        kind = np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64
        assert found[name].dtype == kind
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


PARTIAL: Partial = {
    "counts": np.arange(24).reshape(2, 3, 4),
    "means": np.random.default_rng(0).random((3, 2)),
    "a/b:c d/é": np.array([1.5]),
    "total": np.asarray(7),
    "loss": np.asarray(2.5),
    "no ints": np.zeros((0, 3), np.int64),
    "no floats": np.zeros((2, 0)),
    "transposed": np.arange(6).reshape(2, 3).T,
    "large": np.array([2**62 + 1, -(2**53) - 1]),
    "small int": np.arange(3, dtype=np.int32),
    "strange": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]),
}


def test_partials_come_back_as_they_were(tmp_path: Path) -> None:
    write_partial(tmp_path / "p.parquet", PARTIAL)
    found = read_partial(tmp_path / "p.parquet")
    assert_same(found, PARTIAL)
    assert np.signbit(found["strange"][3])


def test_a_partial_of_nothing_comes_back(tmp_path: Path) -> None:
    write_partial(tmp_path / "p.parquet", {})
    assert read_partial(tmp_path / "p.parquet") == {}


def test_a_partial_is_read_from_any_folder(tmp_path: Path) -> None:
    for name in ("name=x", "shape=3,integers=a", "with space", "per%20cent", "b[0]"):
        path = tmp_path / name / "00000.parquet"
        write_partial(path, PARTIAL)
        assert_same(read_partial(path), PARTIAL)


def test_the_same_partial_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_partial(tmp_path / name, PARTIAL)
    assert sha256(tmp_path / "one") == sha256(tmp_path / "two")


def test_a_flipped_bit_among_the_values_never_gives_another_partial(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    partial = {"counts": np.arange(300), "means": np.random.default_rng(0).random(300)}
    write_partial(path, partial)
    whole, wrong = path.read_bytes(), []
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for place in range(4, footer, 23):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found = read_partial(path)
        except Exception:
            continue
        same = found.keys() == partial.keys() and all(
            np.array_equal(found[name], partial[name]) for name in partial
        )
        wrong += [] if same else [place]
    assert wrong == []


shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
values = arrays.arrays(np.int64, shapes) | arrays.arrays(np.float64, shapes)


@settings(max_examples=40)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values, max_size=4))
def test_any_partial_comes_back(tmp_path_factory: pytest.TempPathFactory, partial: Partial) -> None:
    path = tmp_path_factory.mktemp("partial") / "p.parquet"
    write_partial(path, partial)
    assert_same(read_partial(path), partial)
