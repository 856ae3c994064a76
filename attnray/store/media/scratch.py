"""Temporary folders for what is on its way to or from elsewhere; none outlives its process long."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import weakref
from contextlib import suppress
from functools import cache
from pathlib import Path

from filelock import FileLock

_PREFIX = "attnray-scratch-"
#: Held by the process whose folder it lies in.
_LOCK = "lock"


class Scratch:
    """A temporary folder, which goes with this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(dir=_of_process()))
        self.remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@cache
def _of_process() -> Path:
    """The folder of this process; those of processes that were killed are removed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _held(folder):
            shutil.rmtree(folder, ignore_errors=True)
    while not _held(own := Path(tempfile.mkdtemp(prefix=_PREFIX))):
        pass  # another process has removed it, before it was held
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def _held(folder: Path) -> bool:
    """Whether a folder could be taken hold of: no process has it, and it is there."""
    lock = FileLock(folder / _LOCK, blocking=False, fallback_to_soft=False)
    with suppress(OSError):
        lock.acquire()
        _LOCKS.append(lock)
        return (folder / _LOCK).exists()
    return False


#: What this process holds until it ends.
_LOCKS: list[FileLock] = []
