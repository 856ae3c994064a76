"""Files are there whole or not at all, whatever befalls their writer, and come back as written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import attnray
from attnray.store.files import (
    Form,
    fingerprint,
    read_json,
    replacing,
    sha256,
    write_json,
    write_table,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


CONTENT = {"b": {"y": 1, "a": "é"}, "metric": 'a "b"', "store": None}


@pytest.mark.parametrize("key", ["a", "c", "z"])
@pytest.mark.parametrize("content", [CONTENT, {}])
def test_a_form_gives_the_fingerprint_of_what_is_filled_in(
    key: str, content: dict[str, object]
) -> None:
    form = Form.of(content, key)
    for value in ("", "0123", 'ü "\\'):
        assert form.filled(value) == fingerprint({**content, key: value})
    for values in ([], ["0"], ["0", 'ü "\\', ""]):
        assert form.listing(iter(values)) == fingerprint({**content, key: values})


# Replacing


def test_what_is_written_appears_at_the_end_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with replacing(path) as temporary:
        assert path.parent in temporary.parents, "on the same disk"
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
    half, other = (tmp_path / f".0000{n}.zarr.writing" for n in (1, 2))
    (half / "dead.new" / "deep").mkdir(parents=True)
    (half / "dead.new" / "deep" / "0").write_text("half")
    (half / "dead").touch()
    other.mkdir()
    (other / "alive").touch()
    (tmp_path / "00002.zarr").write_text("another's")
    with replacing(tmp_path / "00001.zarr") as temporary:
        temporary.mkdir()
    assert names(tmp_path) == [other.name, "00001.zarr", "00002.zarr"]
    assert names(other) == ["alive"]


def test_a_write_looks_at_no_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def noting(listing: Callable[[Any], Any], folder: Any) -> Any:
        seen.append(str(folder))
        return listing(folder)

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, partial(noting, getattr(os, name)))
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert seen
    assert str(tmp_path) not in seen


def test_two_writers_of_a_path_at_once_leave_one_of_the_two(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write_twice() -> None:
        with replacing(path) as first:
            first.write_text("first")
            with replacing(path) as second:
                second.write_text("second")

    with pytest.raises(FileNotFoundError):
        write_twice()
    assert path.read_text() == "second"
    assert names(tmp_path) == ["file"]


def test_writers_that_come_and_go_do_not_disturb_each_other(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with suppress(FileNotFoundError), replacing(tmp_path / "file") as temporary:
            temporary.write_text("x" * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(400)))
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "x" * 1000


WRITER = """
import sys, time
from pathlib import Path
from attnray.store.files import replacing

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
