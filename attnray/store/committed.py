"""Files of a run folder with their checksums, and the markers that say what is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from errno import EIO
from functools import lru_cache
from pathlib import Path, PurePosixPath

from attnray.errors import Damaged
from attnray.store.files import FORMAT, Checksum, sealed, sha256, unsealed
from attnray.store.media import medium_of
from attnray.store.media.base import Medium

#: Files by name, each with what it must hold.
Files = dict[str, Checksum]


@dataclass(frozen=True)
class CommittedFiles:
    """The files of a run folder: written with checksums, and checked as they are read.

    Tasks are named by stage and number, as in `done/STAGE/00000.json`.

    Args:
        root: a local folder, or an address as `attnray.store.places` gives it.
    """

    root: Path | str

    def __str__(self) -> str:
        return self.where()

    @property
    def name(self) -> str:
        """The last part of where it lies."""
        return str(self.root).rstrip("/").rpartition("/")[2]

    @property
    def medium(self) -> Medium:
        """What they lie on."""
        return medium_of(self.root)

    def where(self, name: str = "") -> str:
        """What messages call a file, or the folder itself."""
        return self.medium.where(name)

    def hold(self) -> AbstractContextManager[None]:
        """Keeps other drivers away: see `Medium.hold`."""
        return self.medium.hold()

    def driver(self) -> str | None:
        """The driver at work: see `Medium.holder`."""
        return self.medium.holder()

    def disk(self) -> tuple[int, int] | None:
        """The disk it lies on, and how many bytes are free: see `Medium.disk`."""
        return self.medium.disk()

    def numbers(self, stage: str) -> list[int]:
        """The tasks of a stage that have a marker."""
        names = self.medium.sizes(f"done/{stage}")
        found = (re.fullmatch(rf"done/{stage}/(\d+)\.json", name) for name in names)
        return [int(each[1]) for each in found if each]

    def remove(self, name: str = "") -> None:
        """Remove a file, after which what has it in its marker is not done; or all there is."""
        self.medium.remove(name)

    def write(self, name: str, content: bytes) -> Files:
        """Write a file; gives what it holds."""
        self.medium.write(name, content)
        return {name: Checksum.of(content)}

    def read(self, name: str, checksum: Checksum) -> bytes:
        """The content of a file.

        Raises:
            Damaged: it is missing, or holds something else.
        """
        with self._reading(name):
            content = self.medium.read(name)
        if Checksum.of(content) != checksum:
            raise self.damaged(name)
        return content

    def check(self, files: Mapping[str, Checksum], name: str) -> None:
        """Check a file among those of a marker: once a process, before it is used at its place.

        Raises:
            Damaged: it is missing, also from the marker, or holds something else.
        """
        with self._reading(name):
            path, checksum = self.medium.local(name), files[name]
            found = path.stat()
            state = (found.st_ino, found.st_mtime_ns, found.st_size)
            same = checksum == (found.st_size, _sha256(str(path), *state))
        if not same:
            raise self.damaged(name)

    def commit(self, stage: str, number: int, fingerprint: str, files: Files) -> None:
        """Write the marker of a finished task."""
        listed = {name: checksum._asdict() for name, checksum in files.items()}
        marker = {"format": FORMAT, "fingerprint": fingerprint, "files": listed}
        self.medium.write(marker_of(stage, number), sealed(marker))

    def done(self, stage: str, number: int, fingerprint: str, contents: bool = False) -> bool:
        """Whether what a task makes is whole, and made from what `fingerprint` stands for.

        Args:
            stage: the task's stage.
            number: the task's number.
            fingerprint: what it is to be made from.
            contents: whether to look at the bytes of its files now, and not only at their sizes:
                these are checked when they are read.
        """
        made_from, files = self._marker(stage, number) or (None, {})
        if made_from != fingerprint:
            return False
        if contents:
            return not self.broken(files)
        return all(self.medium.size(name) == each.size for name, each in files.items())

    def listed(self, stage: str, number: int) -> Files:
        """The files of a finished task.

        Raises:
            Damaged: its marker is missing, or not what was written.
        """
        marker = self._marker(stage, number)
        if marker is None:
            name = marker_of(stage, number)
            there = self.medium.size(name) is not None
            raise self.damaged(name) if there else self.missing(name)
        return marker[1]

    def broken(self, files: Mapping[str, Checksum]) -> list[Damaged]:
        """Those of some files that are missing, or hold something else."""
        found = []
        for name, checksum in files.items():
            try:
                self.read(name, checksum)
            except Damaged as error:
                found.append(error)
        return found

    def broken_of(self, stage: str, number: int) -> list[Damaged]:
        """Those of a finished task; its marker where that is."""
        try:
            return self.broken(self.listed(stage, number))
        except Damaged as error:
            return [error]

    def missing(self, name: str) -> Damaged:
        """That a file is not there."""
        return Damaged(self.where(), name, "missing")

    def damaged(self, name: str) -> Damaged:
        """That a file is not what was written."""
        return Damaged(self.where(), name, "damaged: it does not hold what was written")

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """Tells a file that is not there, or that its disk has lost, from other failures."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, KeyError) as error:
            raise self.missing(name) from error
        except OSError as error:
            if error.errno != EIO:
                raise
            raise self.damaged(name) from error

    def _marker(self, stage: str, number: int) -> tuple[str, Files] | None:
        """The fingerprint and the files of a marker; None where there is none that is whole."""
        name = marker_of(stage, number)
        try:
            with self._reading(name):
                marker = unsealed(self.medium.read(name))
            files = {_inside(name): Checksum(**each) for name, each in marker["files"].items()}
            return marker["fingerprint"], files
        except (Damaged, ValueError, LookupError, TypeError, AttributeError):
            return None


def marker_of(stage: str, number: int) -> str:
    """The name of a marker."""
    return f"done/{stage}/{number:05}.json"


def _inside(name: str) -> str:
    """The name of a file in a run folder: whose marker may come from anyone, and files be removed.

    Raises:
        ValueError: it leads elsewhere, or is the folder's own.
    """
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError(name)
    return name


@lru_cache(4096)
def _sha256(path: str, *_: int) -> str:
    """The sha256 of a file as long as it stays the same one."""
    return sha256(Path(path))
