"""Run folders on a local disk, or on one that is mounted."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from attnray.errors import IncompleteRun, of_machine

#: Held by the driver that works on a run folder, and tells which it is.
LOCK = ".driver"


@dataclass(frozen=True)
class LocalMedium:
    """See `Medium`; `root` is the run folder."""

    root: Path

    def snapshot(self) -> LocalMedium:
        """See `Medium.snapshot`: a disk is asked about each."""
        return self

    def where(self, name: str = "") -> str:
        """See `Medium.where`."""
        return str(self.root / name)

    def read(self, name: str) -> bytes:
        """See `Medium.read`."""
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except (NotADirectoryError, IsADirectoryError) as error:
            raise FileNotFoundError(*error.args, error.filename) from error

    def write(self, name: str, content: bytes) -> None:
        """See `Medium.write`."""
        with self.making(name) as temporary:
            temporary.write_bytes(content)

    def size(self, name: str) -> int | None:
        """See `Medium.size`."""
        try:
            found = os.stat(self._path(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def sizes(self, under: str) -> dict[str, int]:
        """See `Medium.sizes`."""
        return dict(sorted(_sizes(self._path(under), under)))

    def remove(self, name: str) -> None:
        """See `Medium.remove`."""
        _remove(self.root / name)

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """See `Medium.making`; the path is beside the one it becomes.

        What earlier writers of the same name left behind when they were killed is removed. It lies
        in a folder of this name: to look for it among those of all shards would take ever longer.
        """
        path = self.root / name
        with _about(path):
            yield from self._making(path)

    def _making(self, path: Path) -> Iterator[Path]:
        writers = path.with_name(f".{path.name}.writing")
        with suppress(FileNotFoundError):
            for leftover in os.listdir(writers):
                _remove(writers / leftover)
        own = _entered(writers)
        temporary = own.with_suffix(".new")
        try:
            yield temporary
            if temporary.is_dir() or path.is_dir():
                _remove(path)
            os.replace(temporary, path)
        finally:
            _remove(temporary)
            _remove(own)
            with suppress(OSError):  # another writer is there
                writers.rmdir()

    def local(self, name: str) -> Path:
        """See `Medium.local`."""
        path = self.root / name
        path.stat()
        return path

    @contextmanager
    def hold(self) -> Iterator[None]:
        """See `Medium.hold`: a lock of the operating system, which ends with its process."""
        path = self.root.resolve() / LOCK
        lock = FileLock(
            path, blocking=False, thread_local=False, is_singleton=True, fallback_to_soft=False
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            path.write_text(_driver())
        except Timeout as error:
            raise IncompleteRun(_taken(self.where(), path)) from error
        except OSError:  # what cannot be written needs no lock; not every disk has locks
            pass
        try:
            yield
        finally:
            with suppress(OSError):
                if lock.lock_counter == 1:
                    path.unlink()
                    path.parent.rmdir()  # where nothing else came into it
            lock.release()

    def disk(self) -> tuple[int, int] | None:
        """See `Medium.disk`."""
        root = self.root.absolute()
        there = next(path for path in (root, *root.parents) if os.path.exists(path))
        return there.stat().st_dev, shutil.disk_usage(there).free

    def holder(self) -> str | None:
        """See `Medium.holder`."""
        try:
            with open(self._path(LOCK), encoding="utf-8") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return file.read() or "it just began"
        except OSError:  # there is none, or no lock can be had
            pass
        return None

    def _path(self, name: str) -> str:
        return os.path.join(self.root, name)


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """What the machine refuses in here is about this file, by whatever name it goes meanwhile."""
    try:
        yield
    except Exception as error:
        found = of_machine(error, str(path))
        if found is None:
            raise
        if found.filename and f".{path.name}.writing" in os.fsdecode(found.filename):
            found.filename = str(path)
        if found is error:
            raise
        raise found from error


def _driver() -> str:
    """What this process writes into its lock."""
    now = datetime.now().astimezone().isoformat(" ", "seconds")
    return f"process {os.getpid()} on {socket.gethostname()}, since {now}"


def _taken(where: str, lock: Path) -> str:
    try:
        driver = lock.read_text()
    except OSError:  # it ended just now
        driver = ""
    return (
        f"{where}: another job is at work in this run folder ({driver or 'it just began'}); "
        "wait until it ends, or end it, and start again"
    )


def _sizes(folder: str, name: str) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                inner = f"{name}/{entry.name}" if name else entry.name
                if entry.is_dir():
                    yield from _sizes(entry.path, inner)
                elif entry.is_file():
                    yield inner, entry.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return


def _entered(writers: Path) -> Path:
    """Make an empty file in a folder, for which nobody removes it: another writer may be about to.

    (Another one of the same path removes the file first, and what is written beside it.)
    """
    own = writers / uuid.uuid4().hex
    while True:
        with suppress(FileExistsError):
            writers.mkdir(parents=True)
        with suppress(FileNotFoundError):
            own.touch()
            return own


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
