"""Signals that ask a job to end: it says so in one line, and ends within seconds."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

#: The signals of a terminal, of its end, and of a scheduler or a machine about to go.
SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
#: What a job is doing may take so long to be let go of; then it ends as it is.
SECONDS = 5


@contextmanager
def stoppable() -> Iterator[None]:
    """What runs in here ends at a signal as by Ctrl-C; at a second one it ends at once.

    The process ends with it: with 128 and the number of the signal, as a shell tells of it.
    """
    stop = _Stop()
    # What is ignored stays so: under nohup a job outlives its terminal.
    before = {each: signal.getsignal(each) for each in SIGNALS}
    heard = {each: kept for each, kept in before.items() if kept is not signal.SIG_IGN}
    for each in heard:
        signal.signal(each, stop)
    try:
        yield
    except KeyboardInterrupt:
        with suppress(OSError):
            sys.stdout.flush()
        stop.end()
    finally:
        for each, kept in heard.items():
            signal.signal(each, kept)


class _Stop:
    """Takes the signals: the first raises `KeyboardInterrupt`, and that is seen to help."""

    def __init__(self) -> None:
        self._number: int = signal.SIGINT
        self._late = threading.Timer(SECONDS, self.end)
        self._late.daemon = True

    def __call__(self, number: int, _: FrameType | None) -> None:
        if self._late.ident:
            self.end()
        self._number = number
        self._late.start()
        raise KeyboardInterrupt

    def end(self) -> NoReturn:
        """Say why, and end the process; a cluster of its own ends with it."""
        self._late.cancel()
        name = signal.Signals(self._number).name
        how = "interrupted" if self._number == signal.SIGINT else f"ended by {name}"
        line = f"attnray: {how}: the same command goes on where this one stopped\n"
        with suppress(OSError):
            os.write(2, line.encode())
        os._exit(128 + self._number)
