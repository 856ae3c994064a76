"""The processes of this machine, as /proc tells of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process; `started` tells it from a later one of the same id."""

    pid: int
    started: int
    parent: int
    command: str


def running() -> Iterator[Process]:
    """Every process that has not ended."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name, which may hold spaces: the state, the parent, and so on.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] not in "ZX":
            yield Process(int(folder.name), int(fields[19]), int(fields[1]), command)


def descendants(ancestor: int) -> list[Process]:
    """The processes that a process started, and those that they did."""
    processes = list(running())
    found, wanted = [], {ancestor}
    while wanted:
        children = [process for process in processes if process.parent in wanted]
        found += children
        wanted = {process.pid for process in children}
    return found


def having(variable: str) -> list[Process]:
    """The processes that were started with this variable (`NAME=value`) in their environment."""
    found = []
    for process in running():
        with suppress(OSError):
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
            if variable.encode() in environment.split(b"\0"):
                found.append(process)
    return found


def wait_for_end(processes: Iterable[Process]) -> None:
    """Wait until none of them runs."""
    wanted = {(process.pid, process.started) for process in processes}
    while wanted & {(process.pid, process.started) for process in running()}:
        time.sleep(0.02)


def end_those_naming(text: str) -> None:
    """End the processes that have a text in their command."""
    found = [process for process in running() if text in process.command]
    for process in found:
        os.kill(process.pid, signal.SIGKILL)
    wait_for_end(found)
