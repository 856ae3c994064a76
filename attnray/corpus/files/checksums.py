"""The checksums of a corpus's files, and the refusal of a file that is another one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from attnray.corpus.files.lines import compressed, opened, regular
from attnray.errors import InputError


def contents_sha256(path: str) -> str:
    """The sha256 of a file's contents: a compressed copy has that of the file itself.

    Raises:
        InputError: the file cannot be read.
    """
    return _contents(path, *_state(path))


def pinned(name: str, checksums: Mapping[str, str] | None) -> str | None:
    """The sha256 that a file of this name must have, if any; a `.gz` at its end aside."""
    given = checksums or {}
    return given.get(name, given.get(name.removesuffix(".gz")))


def has(path: str, expected: str) -> bool:
    """Whether a file, as it lies or decompressed, has this sha256.

    Raises:
        InputError: the file cannot be read.
    """
    state = _state(path)
    return expected in (_contents(path, *state), _bytes(path, *state))


def check(path: str, address: str, expected: str) -> None:
    """Refuse a file, had from this address, that is not the pinned one.

    Raises:
        InputError: names both checksums.
    """
    if not has(path, expected):
        raise InputError(
            f"{address}: sha256 is {contents_sha256(path)}, but corpus.checksums asks for "
            f"{expected}; give the right file with corpus.path=, or take this one with "
            "corpus.checksums=null"
        )


def _state(path: str) -> tuple[int, int]:
    """What changes with a file: the time it was changed, and its size."""
    status = regular(path)
    return status.st_mtime_ns, status.st_size


@cache
def _contents(path: str, changed: int, size: int) -> str:
    """The sha256 of a file's contents, once for each state of the file."""
    with opened(path) as contents:
        return hashlib.file_digest(contents, "sha256").hexdigest()


@cache
def _bytes(path: str, changed: int, size: int) -> str:
    """The sha256 of a file as it lies, once for each state of the file."""
    if not compressed(path):
        return _contents(path, changed, size)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
