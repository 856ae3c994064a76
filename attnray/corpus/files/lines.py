"""The contents of a corpus file, its lines, numbered, and errors that say where they are."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from attnray.corpus import bounds
from attnray.corpus.bounds import within
from attnray.errors import InputError

#: How many bytes are in memory at a time, to the end of a line.
BLOCK = 2**15
_BOM = "\ufeff"
_GZIP = b"\x1f\x8b"
#: What other compressed files begin with: no text does.
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
#: What stands in the place of a file that was not fetched along with its repository.
_POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of whole lines of a file: its bytes from `start` to `end`, None for the file's own end.

    `lines` and `documents` are how many of them the file has before it; `header` are those lines
    before it that say how to read what comes.
    """

    start: int = 0
    end: int | None = None
    lines: int = 0
    documents: int = 0
    header: tuple[str, ...] = ()


WHOLE = Span()


def regular(path: str) -> os.stat_result:
    """What the system knows of a file: others than plain ones, which may have no end, are refused.

    Raises:
        InputError: there is none, or it is a folder, a pipe, a socket or a device.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        folder = stat.S_ISDIR(status.st_mode)
        reason = os.strerror(errno.EISDIR) if folder else "a pipe, a socket or a device"
        raise InputError(f"{path}: {reason}; corpus.path must name a readable file")
    return status


@contextmanager
def opened(path: str) -> Iterator[BufferedIOBase]:
    """The contents of a file, decompressed where its first bytes are gzip's.

    Raises:
        InputError: the file cannot be opened, or what is compressed is damaged.
    """
    regular(path)
    try:
        with open(path, "rb") as file:
            first = file.peek(len(_POINTER))
            if not first.startswith(_GZIP):
                if other := next((_OTHERS[each] for each in _OTHERS if first.startswith(each)), ""):
                    raise InputError(f"{path}: {other}; of compressed files only gzip is read")
                if first.startswith(_POINTER):
                    raise InputError(
                        f"{path}: a pointer of Git LFS; get the file by `git lfs pull`"
                    )
                yield file
                return
            with gzip.open(file) as contents:
                yield contents
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = str(error).rstrip(".")
        raise InputError(f"{path}: damaged gzip ({reason}); get the file again") from error
    except OSError as error:
        raise unreadable(path, error) from error


def compressed(path: str) -> bool:
    """Whether a file is gzip's, as its first bytes tell.

    Raises:
        InputError: the file cannot be read.
    """
    regular(path)
    try:
        with open(path, "rb") as file:
            return file.read(2) == _GZIP
    except OSError as error:
        raise unreadable(path, error) from error


def stem(path: str) -> str:
    """What documents without a name are named after: the file's name, without its endings.

    A compressed copy is named like the file itself.
    """
    return Path(path.removesuffix(".gz")).stem


def blocks(path: str, span: Span = WHOLE) -> Iterator[bytes]:
    """The contents of a file, or a span of it, in blocks of whole lines.

    Raises:
        InputError: the file cannot be read, or a line is longer than `bounds.LINE`.
    """
    left = sys.maxsize if span.end is None else span.end - span.start
    lines = span.lines
    with opened(path) as contents:
        contents.seek(span.start)
        while block := contents.read(min(BLOCK, left)):
            lines += block.count(b"\n")
            if not block.endswith(b"\n"):
                rest = contents.readline(bounds.LINE)
                if len(rest) == bounds.LINE and not rest.endswith(b"\n"):
                    raise error_at(
                        path, lines + 1, f"a line of more than {bounds.LINE:,} bytes; break it"
                    )
                block += rest
                lines += 1
            left -= len(block)
            yield block


def numbered_lines(path: str, span: Span = WHOLE) -> Iterator[tuple[int, str]]:
    """Each line of a UTF-8 file from 1, without its ending (LF or CRLF) and without a BOM.

    Raises:
        InputError: the file cannot be read, or a line is not UTF-8 or has a byte 0.
    """
    number = span.lines + 1
    for block in blocks(path, span):
        bad = _not_text(block)
        whole = block if bad is None else block[: block.rfind(b"\n", 0, bad) + 1]
        text = whole.decode()
        lines = _lines(text.removeprefix(_BOM) if number == 1 else text)
        yield from enumerate(lines, number)
        number += len(lines)
        if bad is not None:
            problem = "not UTF-8" if block[bad] else "0, which no text has"
            place = f"byte {bad - len(whole) + 1} is {problem}"
            raise error_at(path, number, f"{place}; convert the file to UTF-8")


def runs(path: str, lines: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """The runs of lines that are not blank.

    Raises:
        InputError: one has more than `bounds.LINE` characters.
    """
    run: list[tuple[int, str]] = []
    size = 0
    for number, line in lines:
        if line and not line.isspace():
            run.append((number, line))
            size += len(line) + 1
            if size > bounds.LINE:
                within(f"{path}:{run[0][0]}", size, bounds.LINE, "characters without a blank line")
        elif run:
            yield run
            run, size = [], 0
    if run:
        yield run


def error_at(path: str, line: int, problem: str) -> InputError:
    """An error at a line of a file."""
    return InputError(f"{path}:{line}: {problem}")


def unreadable(path: str, error: OSError | ValueError) -> InputError:
    """The error of a file that the system does not give."""
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"{path}: {reason}; corpus.path must name a readable file")


def _not_text(block: bytes) -> int | None:
    """The first byte that is no UTF-8, or 0, of which half of a file in UTF-16 consists."""
    zero = block.find(b"\0")
    try:
        block.decode()
    except UnicodeDecodeError as error:
        return error.start if zero < 0 else min(zero, error.start)
    return zero if zero >= 0 else None


def _lines(text: str) -> list[str]:
    """The lines of a block, which ends with one."""
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.rstrip("\r") for line in lines] if "\r" in text else lines
