"""The lines of a corpus file, numbered, and errors that say where they are."""

from __future__ import annotations

from collections.abc import Iterator

from attnray.errors import InputError

_BOM = "\ufeff"


def numbered_lines(path: str) -> Iterator[tuple[int, str]]:
    """Each line of a UTF-8 file from 1, without its ending (LF or CRLF) and without a BOM.

    Raises:
        InputError: the file cannot be opened, or a line is not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                line = _decoded(path, number, raw).rstrip("\r\n")
                yield number, line.removeprefix(_BOM) if number == 1 else line
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; corpus.path must name a readable file") from (
            error
        )


def error_at(path: str, line: int, problem: str) -> InputError:
    """An error at a line of a file."""
    return InputError(f"{path}:{line}: {problem}")


def _decoded(path: str, number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = error.start + 1
        raise error_at(path, number, f"byte {byte} is not UTF-8; convert the file to it") from error
