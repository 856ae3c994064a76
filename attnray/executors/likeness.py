"""What a machine must have in common with the driver's: the code, packages, and run folders."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import attnray
from attnray.errors import InputError, describe
from attnray.store.committed import CommittedFiles
from attnray.store.manifest import PACKAGES

#: A folder in a run folder, in which each machine that works has a file as long as the job goes on.
PROBE = ".probe"


@dataclass(frozen=True)
class Likeness:
    """What the driver's machine has.

    Args:
        versions: what it runs.
        folders: its run folders.
        probe: the name of its own file in each of them.
    """

    versions: tuple[tuple[str, str], ...]
    folders: tuple[CommittedFiles, ...] = ()
    probe: str = ""

    def lacking(self) -> list[str]:
        """What the machine that asks has not, or otherwise."""
        here = dict(versions())
        wrong = [
            f"has {name} {here.get(name)}, that of the command {version}"
            for name, version in self.versions
            if here.get(name) != version
        ]
        for folder in self.folders:
            try:
                folder.medium.read(self.probe)
                folder.medium.write(_probe(), b"")
            except FileNotFoundError:
                wrong.append(f"does not see {folder}")
            except OSError as error:
                wrong.append(f"cannot write to {folder} ({describe(error)})")
        return wrong


@contextmanager
def likeness(folders: Sequence[CommittedFiles]) -> Iterator[Likeness]:
    """What this machine has; run folders are marked until the end, for others to find."""
    found = Likeness(versions(), tuple(folders), _probe())
    try:
        for folder in folders:
            folder.medium.remove(PROBE)
            folder.medium.write(found.probe, b"")
        yield found
    finally:
        for folder in folders:
            folder.medium.remove(PROBE)


@cache
def check_here(found: Likeness) -> None:
    """Refuse to work on a machine unlike that of the driver.

    Raises:
        InputError: see `check`.
    """
    check(socket.gethostname(), found.lacking())


def check(node: str, lacking: list[str]) -> None:
    """Refuse a node that lacks something.

    Raises:
        InputError: it does; it is named, and all of it.
    """
    if lacking:
        raise InputError(
            f"the node {node} of the cluster {' and '.join(lacking)}: every node needs the "
            "same run folder and the same installation"
        )


def versions() -> tuple[tuple[str, str], ...]:
    """What a machine runs."""
    packages = tuple((name, _version(name)) for name in PACKAGES)
    return ("Python", platform.python_version()), ("attnray", code()), *packages


def code() -> str:
    """The version of attnray here, and what its files hold."""
    root = Path(attnray.__file__).parent
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root)} ".encode() + path.read_bytes())
    return f"{attnray.__version__} ({found.hexdigest()[:8]})"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _probe() -> str:
    return f"{PROBE}/{uuid4().hex}"
