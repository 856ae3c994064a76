"""What a driver notes in the run folder: a line of JSON for each task that ended."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime

from attnray import __version__
from attnray.errors import InputError, StoreUnreachable
from attnray.executors.todo import Todo
from attnray.executors.work import Outcome

#: What a line is about, beside tasks.
BEGAN, ENDED = "began", "ended"
#: So many characters are in one file of the log: not every store can add to one.
PIECE = 1 << 18


class Log:
    """The log of what is done of a run, written by and by; no task fails for want of it."""

    def __init__(self, todo: Todo) -> None:
        self._todo = todo
        self._lines: deque[dict[str, object]] = deque()
        self._writing = threading.Lock()
        self._name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{os.getpid()}"
        self._piece, self._text = 0, ""
        self._begun = self._unwritten = False
        self._line(event=BEGAN, host=socket.gethostname(), pid=os.getpid(), version=__version__)

    def add(self, outcome: Outcome) -> None:
        """A line for a task that ended."""
        stage, took = outcome.task.stage, outcome.took
        said: dict[str, object] = {"stage": stage, "task": outcome.task.name}
        said |= dict(zip(("examples", "flop"), self._todo.size(outcome.task), strict=True))
        said |= {"seconds": round(took.seconds, 3), "host": took.host} if took else {}
        said |= {"halvings": took.halvings} if took and took.halvings else {}
        said |= {"error": outcome.error} if outcome.error else {}
        self._line(**said)
        self._begun = True

    def end(self, error: BaseException | None) -> None:
        """A line for the end of the driver, and why it ends before its work does, if so."""
        self._line(event=ENDED, **({"error": type(error).__name__} if error else {}))
        self.write()

    def write(self) -> None:
        """Write the lines that are not written yet, once a task has ended."""
        with (
            self._writing,
            suppress(OSError, StoreUnreachable, InputError),
        ):  # whoever wants the disk for results will say so
            while self._begun and self._lines:
                self._unwritten = True
                self._text += f"{json.dumps(self._lines.popleft())}\n"
            if self._unwritten:
                self._todo.run.folder.write_log(f"{self._name}-{self._piece:05}", self._text)
                self._unwritten = False
            if len(self._text) > PIECE:
                self._text, self._piece = "", self._piece + 1

    def _line(self, **said: object) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append({"time": now, **said})
