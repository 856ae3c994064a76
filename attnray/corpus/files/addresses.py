"""Where a corpus's files are: on this machine's disk, or at an address to download them from."""

from __future__ import annotations

import glob
import importlib.util
import os
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType
from urllib.parse import unquote, urlsplit

from attnray.corpus.files import hub, stores
from attnray.corpus.files.lines import regular
from attnray.errors import InputError

#: How a path names a file inside an installed package: pkg://PACKAGE/FILE.
PACKAGE = "pkg"
#: Which module lists and downloads the files of which kind of address.
PLACES: dict[str, ModuleType] = {
    "http": stores,
    "https": stores,
    "s3": stores,
    "gs": stores,
    "hf": hub,
}


def is_address(path: str) -> bool:
    """Whether a path names more than a place in this machine's folders."""
    return "://" in path


def matching(path: str) -> list[str]:
    """The files that a path stands for, those of a pattern in the order of their names.

    Raises:
        InputError: a pattern matches nothing, or its place cannot be listed or reached.
    """
    found = _remote(path) if is_address(path) else _local(path)
    if not found:
        raise InputError(f"{path}: no file matches; corpus.path is a file, files, or a pattern")
    return found


def look(path: str) -> None:
    """Refuse what is no file of this machine, without asking another one.

    Raises:
        InputError: it is not there, no file matches, or there is no such kind of address.
    """
    if not is_address(path):
        for file in matching(path):
            regular(file)
    elif _scheme(path) != PACKAGE:
        _place(path)


def name(address: str) -> str:
    """The name of a file: the last part of its path or address."""
    if _scheme(address) in ("http", "https"):
        address = unquote(urlsplit(address).path)
    found = PurePosixPath(address).name.replace("\0", "")
    return found if found not in ("", "..") else "corpus"


@cache
def local(address: str, expected: str | None) -> str:
    """The path of a file on this machine's disk, downloading it where it is not there yet.

    Args:
        address: of one file.
        expected: the sha256 it is known to have: a copy that has it needs no network.

    Raises:
        InputError: it is not there, cannot be reached, or may not be read.
    """
    if not is_address(address):
        return address
    if _scheme(address) == PACKAGE:
        return _packaged(address)
    path: str = _place(address).copy(address, name(address), expected)
    return path


def _packaged(address: str) -> str:
    """The path of a file in a package's folder."""
    package, _, rest = address.partition("://")[2].partition("/")
    # (One inside of another could only be found by starting that.)
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{address}: there is no such package; install it")
    if ".." in PurePosixPath(rest).parts or rest.startswith("/"):
        raise InputError(f"{address}: leads out of the package; name a file inside it")
    return str(Path(spec.submodule_search_locations[0], rest))


def _local(path: str) -> list[str]:
    if not glob.has_magic(path) or os.path.exists(path):
        return [path]
    return sorted(file for file in glob.glob(path, recursive=True) if os.path.isfile(file))


@cache
def _remote(path: str) -> list[str]:
    if _scheme(path) == PACKAGE:
        return [path]
    found: list[str] = _place(path).matching(path)
    return found


def _scheme(address: str) -> str:
    return address.partition("://")[0] if is_address(address) else ""


def _place(address: str) -> ModuleType:
    scheme = _scheme(address)
    if scheme not in PLACES:
        known = ", ".join(f"{each}://" for each in (*PLACES, PACKAGE))
        raise InputError(f"{address}: {scheme}:// is not possible; give a local path or {known}")
    return PLACES[scheme]
