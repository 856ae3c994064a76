"""What a job prints: whoever reads it may leave, or lack some letters, and the job goes on."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


#: The descriptor of stderr.
LAST = 2


class _Pipe(io.FileIO):
    """A file whose readers may leave: what is written then is let go of, and what failed once."""

    _lost = False

    def write(self, data: Buffer, /) -> int:
        if self._lost:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except BrokenPipeError:
            self._lost = True
            return memoryview(data).nbytes
        except OSError:
            self._lost = True
            raise


@contextmanager
def until_unread() -> Iterator[None]:
    """What is printed in here, and to stderr, goes as far as somebody reads it."""
    _open_closed()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_piped(each or io.StringIO()) for each in before)
    try:
        yield
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        sys.stdout, sys.stderr = before


def _open_closed() -> None:
    """Open stdin, stdout and stderr where they are closed: the next file would take their place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= LAST:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _piped(stream: TextIO) -> TextIO:
    if stream not in (sys.__stdout__, sys.__stderr__):
        return stream  # somebody else has taken it already
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="replace" if stream.errors == "strict" else stream.errors,
        line_buffering=stream.line_buffering or stream is sys.__stderr__,
    )
