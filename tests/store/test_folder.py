"""Pieces of a run count when whole and made from the same inputs, and lie where they should."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from attnray.config import StoreConfig
from attnray.corpus.document import Document, Sentence
from attnray.corpus.example import to_table
from attnray.errors import Damaged, IncompleteRun, InputError, describe
from attnray.metrics.base import Found
from attnray.metrics.patterns import Patterns
from attnray.metrics.predictions import RIGHT, packed
from attnray.metrics.sums import Moments, moments
from attnray.metrics.syntax import Syntax
from attnray.store.committed import Files
from attnray.store.files import Checksum
from attnray.store.folder import EXTRACT, RunFolder, measured
from attnray.store.media.local import LocalMedium
from tests.builders.random_maps import segmented
from tests.builders.trees import assert_same_tree

STAGE, SHARD, FINGERPRINT = "extract", 3, "0123456789abcdef"
PARTIAL = moments(np.arange(6).reshape(3, 2), np.arange(3))
CASES = pa.table({"example": [4, 7], RIGHT: packed(np.eye(2, dtype=bool))})
DOCUMENTS = [
    Document(
        "d",
        [
            Sentence("", ["ab", "a"], [""] * 2, [""] * 2, [2, 0], ["obj", "root"], [""] * 2),
            Sentence("", ["b"], [""], [""], [0], ["root"], [""]),
        ],
        [],
    )
]


FILES = {
    "shards/00003.parquet": b"a file",
    "attention/00003.zarr/zarr.json": b"{}",
    "attention/00003.zarr/inner/0": bytes(100),
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run folder with one committed piece of some files."""
    folder = RunFolder(tmp_path / "run")
    files: Files = {}
    for name, content in FILES.items():
        files |= folder.write(name, content)
    folder.commit(STAGE, SHARD, FINGERPRINT, files)
    return folder


def path_of(run: RunFolder, name: str) -> Path:
    return Path(run.root, name)


def marker_of(run: RunFolder) -> Path:
    return path_of(run, "done/extract/00003.json")


def names(folder: Path) -> list[str]:
    """The files of a folder, by their place in it."""
    return [*LocalMedium(folder).sizes("")]


def test_pieces_lie_where_the_contract_says(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_manifest({"layout": 0})
    shard = folder.write_examples(0, segmented([], "sentence"))
    folder.copy_shard(1, folder, shard)
    store = StoreConfig("float32", 1, 1)
    with folder.storing(12, FINGERPRINT, [1], (1, 1), store) as writer:
        writer.add(np.ones((1, 1, 1), np.float32))
    folder.commit_found(Syntax("mean", "full"), 3, FINGERPRINT, Found(PARTIAL, CASES))
    folder.write_table("heads", pa.table({"a": [1]}))
    folder.write_figure("heads", "<svg/>")
    folder.write_page("report", "<html/>")
    folder.commit("report", 100000, FINGERPRINT, {})
    within = {name for name in names(tmp_path) if not name.startswith("attention/")}
    assert within == {
        "manifest.json",
        "shards/00000.parquet",
        "shards/00001.parquet",
        "partials/syntax/00003.parquet",
        "cases/syntax/00003.parquet",
        "done/extract/00012.json",
        "done/analyse-syntax/00003.json",
        "done/report/100000.json",
        "tables/heads.parquet",
        "figures/heads.svg",
        "report.html",
    }
    assert (tmp_path / "attention" / "00012.zarr" / "zarr.json").is_file()
    assert str(folder) == str(tmp_path)
    assert folder.where("tables") == str(tmp_path / "tables")


# Markers


def test_a_marker_lists_the_files_with_sizes_and_checksums(run: RunFolder) -> None:
    marker = json.loads(marker_of(run).read_text())
    assert marker["fingerprint"] == FINGERPRINT
    assert marker["files"] == {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in FILES.items()
    }


def test_a_marker_counts_for_its_stage_shard_and_fingerprint_alone(run: RunFolder) -> None:
    assert run.done(STAGE, SHARD, FINGERPRINT)
    assert not run.done(STAGE, SHARD, "fedcba9876543210")
    assert not run.done(STAGE, SHARD + 1, FINGERPRINT)
    assert not run.done("analyse-patterns", SHARD, FINGERPRINT)


def test_a_run_folder_can_be_moved(run: RunFolder, tmp_path: Path) -> None:
    Path(run.root).rename(tmp_path / "elsewhere")
    assert RunFolder(tmp_path / "elsewhere").done(STAGE, SHARD, FINGERPRINT)
    assert not run.done(STAGE, SHARD, FINGERPRINT)


@pytest.mark.parametrize("name", FILES)
def test_a_piece_with_a_missing_file_is_not_done(run: RunFolder, name: str) -> None:
    path_of(run, name).unlink()
    assert not run.done(STAGE, SHARD, FINGERPRINT)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", [-1, 1])
def test_a_piece_with_a_file_of_another_size_is_not_done(
    run: RunFolder, name: str, change: int
) -> None:
    path = path_of(run, name)
    os.truncate(path, path.stat().st_size + change)
    assert not run.done(STAGE, SHARD, FINGERPRINT)


def test_a_folder_in_the_place_of_a_file_is_not_done(run: RunFolder) -> None:
    path_of(run, "shards/00003.parquet").unlink()
    path_of(run, "shards/00003.parquet").mkdir()
    assert not run.done(STAGE, SHARD, FINGERPRINT)


def test_a_new_commit_replaces_the_marker(run: RunFolder) -> None:
    run.commit(STAGE, SHARD, "another", run.write("shards/00003.parquet", b"another"))
    assert run.done(STAGE, SHARD, "another")
    assert not run.done(STAGE, SHARD, FINGERPRINT)


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"fingerprint": "", "files": 1}'])
def test_a_marker_that_a_power_cut_left_broken_does_not_count(run: RunFolder, content: str) -> None:
    marker_of(run).write_text(content)
    assert not run.done(STAGE, SHARD, FINGERPRINT)


# What is found


@pytest.mark.parametrize("name", ["../other", "tables/../../other", "/etc/passwd", "", "."])
def test_a_marker_that_names_files_elsewhere_does_not_count(tmp_path: Path, name: str) -> None:
    """What a marker lists may be removed, to be made again."""
    folder = RunFolder(tmp_path / "run")
    folder.commit("x", 0, "f", {name: Checksum(1, "0" * 64)})
    assert [each.name for each in folder.broken_of("x", 0)] == ["done/x/00000.json"]


def test_what_a_metric_found_is_committed_as_one_piece(tmp_path: Path) -> None:
    run, metric = RunFolder(tmp_path), Syntax("mean", "full")
    run.commit_found(metric, SHARD, FINGERPRINT, Found(PARTIAL, CASES))
    assert run.listed(measured("syntax"), SHARD).keys() == {
        "partials/syntax/00003.parquet",
        "cases/syntax/00003.parquet",
    }
    assert run.done(measured("syntax"), SHARD, FINGERPRINT)
    assert run.cases("syntax", SHARD).equals(CASES)
    assert_same_tree(run.partial("syntax", Moments, SHARD), PARTIAL)
    (tmp_path / "cases" / "syntax" / "00003.parquet").unlink()
    assert not run.done(measured("syntax"), SHARD, FINGERPRINT)


def test_a_metric_without_cases_leaves_none(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.commit_found(Patterns(), SHARD, FINGERPRINT, Found(PARTIAL, None))
    assert not (tmp_path / "cases").exists()
    assert run.done(measured("patterns"), SHARD, FINGERPRINT)


def test_with_a_partial_that_is_damaged_go_the_others_of_its_metric_that_are(
    tmp_path: Path,
) -> None:
    run = RunFolder(tmp_path)
    for metric in (Patterns(), Syntax("mean", "full")):
        for shard in range(4):
            run.commit_found(metric, shard, FINGERPRINT, Found(PARTIAL, None))
            if shard < 3:
                path = tmp_path / "partials" / metric.name / f"{shard:05}.parquet"
                path.write_bytes(path.read_bytes()[::-1])
    (tmp_path / "done" / "analyse-patterns" / "00003.json~").touch()
    run.remove_damaged("partials/patterns/00001.parquet")
    assert names(tmp_path / "partials") == [
        "patterns/00003.parquet",
        *(f"syntax/{shard:05}.parquet" for shard in range(4)),
    ]


# Reading


def test_examples_come_back_and_some_columns_alone(tmp_path: Path) -> None:
    run, examples = RunFolder(tmp_path), segmented(DOCUMENTS, "sentence")
    shard = run.copy_shard(5, run, run.write_examples(0, examples))
    assert shard.number == 5
    assert to_table(run.examples(*shard, spellings=True)).equals(to_table(examples))
    without = [replace(example, tokens=[]) for example in examples]
    assert to_table(run.examples(*shard)).equals(to_table(without))
    columns = run.example_columns(*shard, ["index", "words"])
    assert columns.to_pydict() == {"index": [0, 1], "words": [["ab", "a"], ["b"]]}


def test_what_is_damaged_is_told_alike_by_a_worker() -> None:
    error = Damaged("runs/a", "shards/00003.parquet", "missing")
    sent = pickle.loads(pickle.dumps(error))
    assert str(sent) == str(error) == describe(error)
    assert str(error).startswith("runs/a/shards/00003.parquet: missing; ")
    assert (sent.run, sent.name) == (error.run, error.name)


def test_what_a_disk_has_lost_is_damaged_and_other_failures_are_not(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = run.listed(STAGE, SHARD)
    name = "shards/00003.parquet"

    def fail(error: int) -> None:
        def read(*_: object) -> bytes:
            raise OSError(error, os.strerror(error))

        monkeypatch.setattr(LocalMedium, "read", read)

    fail(errno.EIO)
    with pytest.raises(Damaged, match=name):
        run.read(name, files[name])
    assert not run.done(STAGE, SHARD, FINGERPRINT)
    fail(errno.ESTALE)
    with pytest.raises(OSError, match="tale file handle"):
        run.read(name, files[name])
    with pytest.raises(OSError, match="tale file handle"):
        run.done(STAGE, SHARD, FINGERPRINT)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.read_manifest() is None
    assert not run.has_table("heads")
    with pytest.raises(IncompleteRun, match="the run was removed"):
        run.table("heads")
    with pytest.raises(Damaged, match=r"done/extract/00000\.json: missing"):
        run.attention(0)
    path_of(run, "manifest.json").write_text("{")
    with pytest.raises(InputError, match=r"heads\.parquet: the run has no such table"):
        run.table("heads")
    with pytest.raises(InputError, match=r"manifest\.json: damaged .*; delete this file"):
        run.read_manifest()


def test_attention_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    run, store = RunFolder(tmp_path), StoreConfig("float32", 1, 1)
    with pytest.raises(ZeroDivisionError), run.storing(0, FINGERPRINT, [1], (1, 1), store):
        raise ZeroDivisionError
    with (
        pytest.raises(ValueError, match="0 of 1 cells"),
        run.storing(0, FINGERPRINT, [1], (1, 1), store),
    ):
        pass
    assert names(tmp_path) == []
    with run.storing(0, FINGERPRINT, [1], (1, 1), store) as writer:
        writer.add(np.full((1, 1, 1), 0.5, np.float32))
    assert run.attention(0).read(0).tolist() == [[[[0.5]]]]
    assert run.extracted(0, FINGERPRINT)
    assert run.done(EXTRACT, 0, FINGERPRINT)
