"""The contents of a corpus file, its lines, numbered, and errors that say where they are."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from attnray.errors import InputError

_BOM = "\ufeff"
_GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: str) -> Iterator[BufferedIOBase]:
    """The contents of a file, decompressed where its first bytes are gzip's.

    Raises:
        InputError: the file cannot be opened, or what is compressed is damaged.
    """
    try:
        with open(path, "rb") as file:
            if file.peek(2)[:2] != _GZIP:
                yield file
                return
            with gzip.open(file) as contents:
                yield contents
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = str(error).rstrip(".")
        raise InputError(f"{path}: damaged gzip ({reason}); get the file again") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; corpus.path must name a readable file") from (
            error
        )


def stem(path: str) -> str:
    """What documents without a name are named after: the file's name, without its endings.

    A compressed copy is named like the file itself.
    """
    return Path(path.removesuffix(".gz")).stem


def numbered_lines(path: str) -> Iterator[tuple[int, str]]:
    """Each line of a UTF-8 file from 1, without its ending (LF or CRLF) and without a BOM.

    Raises:
        InputError: the file cannot be read, or a line is not UTF-8.
    """
    with opened(path) as contents:
        for number, raw in enumerate(contents, 1):
            line = _decoded(path, number, raw).rstrip("\r\n")
            yield number, line.removeprefix(_BOM) if number == 1 else line


def error_at(path: str, line: int, problem: str) -> InputError:
    """An error at a line of a file."""
    return InputError(f"{path}:{line}: {problem}")


def _decoded(path: str, number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = error.start + 1
        raise error_at(path, number, f"byte {byte} is not UTF-8; convert the file to it") from error
