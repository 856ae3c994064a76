"""Temporary folders go with what they are for, and with the process that has them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from attnray.store.media import scratch
from attnray.store.media.scratch import Scratch


@pytest.fixture(autouse=True)
def _new_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch._of_process.cache_clear()
    yield
    scratch._of_process.cache_clear()


def test_a_folder_goes_with_what_has_it() -> None:
    one, other = Scratch(), Scratch()
    first, second = one.path, other.path
    (first / "file").touch()
    one.remove()
    assert not first.exists()
    assert second.is_dir()
    del other
    assert not second.exists()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left, held, strange = (
        tmp_path / name for name in ("attnray-scratch-1", "attnray-scratch-2", "other")
    )
    for folder in (left, held, strange):
        (folder / "inner").mkdir(parents=True)
    with FileLock(held / "lock"):
        own = Scratch()
        assert {*tmp_path.iterdir()} == {held, strange, own.path.parent}
