"""A cluster of our own: who can see it, and what stays of it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from attnray.errors import IncompleteRun, InputError, described
from attnray.executors import cluster
from attnray.executors.connection import Connection, ray
from attnray.executors.guard import members

#: The state of a socket that listens.
LISTENS = "0A"
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def nothing() -> None:
    """What a worker is started for."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the cluster has its files, with a worker at work."""
    # Sockets have short paths: those of pytest are too long.
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(short))
        Connection.open()
    ray.get(ray.remote(nothing).remote())
    (made,) = short.iterdir()
    yield made
    assert list(members(made, os.getpid()))
    Connection.close()
    assert not list(members(made, os.getpid()))
    short.rmdir()  # which is empty


def test_nobody_else_sees_its_files(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_listens_on_this_machine_alone(folder: Path) -> None:
    sockets = set()
    for process in [os.getpid(), *members(folder, os.getpid())]:
        links = Path(f"/proc/{process}/fd").iterdir()
        sockets |= {
            found[1] for each in links if (found := re.match(r"socket:\[(\d+)", link(each)))
        }
    listening = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = row.split()
            if state == LISTENS and rest[5] in sockets:
                listening.add(local.partition(":")[0])
    assert listening
    assert listening <= LOOPBACK


def link(path: Path) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def test_a_long_path_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert cluster._short() == "/tmp"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="set TMPDIR to a folder with a shorter one"):
        cluster._short()


def test_no_room_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(OSError, match="No space left on device") as error:
        cluster._short()
    assert isinstance(described(error.value), IncompleteRun)


def test_what_refers_to_itself_is_let_go_of_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def error() -> None: ...

    vars(error)["itself"] = error
    left = weakref.ref(error)
    seen: list[object] = []
    monkeypatch.setattr(Connection, "is_open", lambda: False)
    monkeypatch.setattr(Connection, "_open", lambda: None)
    monkeypatch.setattr(Connection, "_close", lambda *_: seen.append(left()))
    with Connection():
        del error
    Connection._closed()
    assert seen == [None]
