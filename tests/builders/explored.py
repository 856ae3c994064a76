"""The server of `attnray explore` in a thread of the tests, and questions to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import NamedTuple

from attnray.explore.opened import OpenedRun
from attnray.explore.server import LOCALHOST, begin, listening


class Answer(NamedTuple):
    """What is answered to a question."""

    status: int
    text: str
    headers: HTTPMessage


def opened(run_dir: Path | str) -> OpenedRun:
    """A run, read to its end."""
    run = OpenedRun(str(run_dir))
    run.subjects.read_on()
    assert run.subjects.wait(120)
    return run


def ask(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask for a path, as it is given."""
    connection = HTTPConnection(LOCALHOST, port, timeout=120)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(), response.headers)
    finally:
        connection.close()


@contextmanager
def serving(*runs: Path | OpenedRun) -> Iterator[int]:
    """The port at which runs are explored, by their folders or as they are."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    bound = listening(0)
    read = [each if isinstance(each, OpenedRun) else opened(each) for each in runs]
    try:
        runner = asyncio.run_coroutine_threadsafe(begin(read, bound), loop).result()
        yield int(bound.getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        bound.close()
