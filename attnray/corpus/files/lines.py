"""The contents of a corpus file, its lines, numbered, and errors that say where they are."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from attnray.errors import InputError

#: How many bytes are in memory at a time, to the end of a line.
BLOCK = 2**15
_BOM = "\ufeff"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of whole lines of a file: its bytes from `start` to `end`, None for the file's own end.

    `lines` and `documents` are how many of them the file has before it.
    """

    start: int = 0
    end: int | None = None
    lines: int = 0
    documents: int = 0


WHOLE = Span()


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


def compressed(path: str) -> bool:
    """Whether a file is gzip's, as its first bytes tell."""
    with open(path, "rb") as file:
        return file.read(2) == _GZIP


def stem(path: str) -> str:
    """What documents without a name are named after: the file's name, without its endings.

    A compressed copy is named like the file itself.
    """
    return Path(path.removesuffix(".gz")).stem


def blocks(path: str, span: Span = WHOLE) -> Iterator[bytes]:
    """The contents of a file, or a span of it, in blocks of whole lines.

    Raises:
        InputError: the file cannot be read.
    """
    left = sys.maxsize if span.end is None else span.end - span.start
    with opened(path) as contents:
        contents.seek(span.start)
        while block := contents.read(min(BLOCK, left)):
            if not block.endswith(b"\n"):
                block += contents.readline()
            left -= len(block)
            yield block


def numbered_lines(path: str, span: Span = WHOLE) -> Iterator[tuple[int, str]]:
    """Each line of a UTF-8 file from 1, without its ending (LF or CRLF) and without a BOM.

    Raises:
        InputError: the file cannot be read, or a line is not UTF-8.
    """
    number = span.lines + 1
    for block in blocks(path, span):
        whole, error = block, None
        try:
            text = block.decode()
        except UnicodeDecodeError as caught:
            whole, error = block[: block.rfind(b"\n", 0, caught.start) + 1], caught
            text = whole.decode()
        lines = _lines(text.removeprefix(_BOM) if number == 1 else text)
        yield from enumerate(lines, number)
        number += len(lines)
        if error:
            problem = f"byte {error.start - len(whole) + 1} is not UTF-8; convert the file to it"
            raise error_at(path, number, problem) from error


def error_at(path: str, line: int, problem: str) -> InputError:
    """An error at a line of a file."""
    return InputError(f"{path}:{line}: {problem}")


def _lines(text: str) -> list[str]:
    """The lines of a block, which ends with one."""
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.rstrip("\r") for line in lines] if "\r" in text else lines
