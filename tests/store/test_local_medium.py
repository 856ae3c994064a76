"""Files of a local folder are there whole or not at all, whatever befalls their writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import attnray
from attnray.errors import IncompleteRun
from attnray.store.media.base import Medium
from attnray.store.media.local import LOCK, LocalMedium
from tests.builders.medium_tests import MediumTests


class TestLocalMedium(MediumTests):
    """A folder of this machine."""

    @pytest.fixture
    def medium(self, tmp_path: Path) -> Medium:
        return LocalMedium(tmp_path / "run")


def making(path: Path) -> AbstractContextManager[Path]:
    return LocalMedium(path.parent).making(path.name)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_appears_at_the_end_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with making(path) as temporary:
        assert path.parent in temporary.parents, "on the same disk"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["file"]


def test_an_error_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with making(path) as temporary:
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
        with making(path) as temporary:
            temporary.mkdir()
            (temporary / "new").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(path) == ["old"]
    assert names(tmp_path) == ["folder"]


def test_an_error_before_anything_is_written_is_the_error_that_is_seen(tmp_path: Path) -> None:
    def fail() -> None:
        with making(tmp_path / "file"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == []


def test_a_file_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a longer old text")
    with making(path) as temporary:
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
    with making(path) as temporary:
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
    with making(tmp_path / "00001.zarr") as temporary:
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
    with making(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert seen
    assert str(tmp_path) not in seen


def test_two_writers_of_a_path_at_once_leave_one_of_the_two(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write_twice() -> None:
        with making(path) as first:
            first.write_text("first")
            with making(path) as second:
                second.write_text("second")

    with pytest.raises(FileNotFoundError):
        write_twice()
    assert path.read_text() == "second"
    assert names(tmp_path) == ["file"]


def test_writers_that_come_and_go_do_not_disturb_each_other(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with suppress(FileNotFoundError), making(tmp_path / "file") as temporary:
            temporary.write_text("x" * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(400)))
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "x" * 1000


WRITER = """
import sys, time
from pathlib import Path
from attnray.store.media.local import LocalMedium

path, kind = Path(sys.argv[1]), sys.argv[2]
with LocalMedium(path.parent).making(path.name) as temporary:
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

    with making(path) as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == ["piece"]
    assert path.read_text() == "whole"


# The lock

HOLDER = """
import sys
from pathlib import Path
from attnray.store.media.local import LocalMedium

with LocalMedium(Path(sys.argv[1])).hold():
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[bytes]:
    """A process that holds a run folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(attnray.__file__).parents[1],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_another_driver_is_told_of_and_its_end_frees_the_folder(tmp_path: Path) -> None:
    run = LocalMedium(tmp_path / "run")
    with holder(run.root) as process:
        with pytest.raises(IncompleteRun) as refusal, run.hold():
            pass
        assert f"{run.root}: another job is at work" in str(refusal.value)
        assert f"process {process.pid} on " in str(refusal.value)
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0
    assert not run.root.exists(), "nothing came into it"
    with run.hold():
        assert names(run.root) == [LOCK]


def test_a_killed_driver_holds_nothing(tmp_path: Path) -> None:
    run = LocalMedium(tmp_path / "run")
    with holder(run.root) as process:
        process.kill()
    with run.hold():
        pass


def test_what_a_driver_calls_may_hold_its_folder_too(tmp_path: Path) -> None:
    run = LocalMedium(tmp_path / "run")
    with run.hold():
        with LocalMedium(tmp_path / "other" / ".." / "run").hold():
            pass
        assert names(run.root) == [LOCK]


def test_where_nothing_can_be_written_no_lock_is_needed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with LocalMedium(tmp_path / "file" / "run").hold():
        pass
