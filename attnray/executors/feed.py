"""A run as its plan grows: planned on when it is waited for, or in a thread beside."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Protocol

from attnray.store.run import Run


class Feed(Protocol):
    """Gives the states of a run, until it has given the one whose plan is whole.

    Raises:
        InputError: from either method, where the run cannot be planned.
    """

    def now(self) -> Run | None:
        """The newest state, None where none is new."""

    def wait(self) -> Run:
        """The newest state, once there is a new one."""

    def close(self) -> None:
        """Plan no further; nothing of it is going on afterwards."""


class Pulled:
    """Plans on when it is waited for."""

    def __init__(self, states: Iterator[Run]) -> None:
        self._states = states

    def now(self) -> Run | None:
        """See `Feed.now`."""
        return None

    def wait(self) -> Run:
        """See `Feed.wait`."""
        return next(self._states)

    def close(self) -> None:
        """See `Feed.close`."""


class Beside:
    """Plans in a thread, as fast as it can."""

    def __init__(self, states: Iterator[Run]) -> None:
        self._states = states
        self._found: queue.SimpleQueue[Run | BaseException] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._plan, name="plan", daemon=True)
        self._thread.start()

    def now(self) -> Run | None:
        """See `Feed.now`."""
        newest = None
        while not self._found.empty():
            newest = self._taken()
        return newest

    def wait(self) -> Run:
        """See `Feed.wait`."""
        newest = self._taken()
        return self.now() or newest

    def close(self) -> None:
        """See `Feed.close`."""
        self._closed = True
        self._thread.join()

    def _plan(self) -> None:
        try:
            for state in self._states:
                if self._closed:
                    return
                self._found.put(state)
        except BaseException as error:  # the executor's thread is to tell of it
            self._found.put(error)

    def _taken(self) -> Run:
        found = self._found.get()
        if isinstance(found, BaseException):
            raise found
        return found
