"""Ends what is left of a cluster once the process that has it ends, however it does.

Run as a script, beside that process: its input ends with it. So it can be killed in any way, and
nothing of its cluster goes on, or stays on the disk.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: Names the folder of a cluster to its processes.
NAMED = "ATTNRAY_CLUSTER"
#: What ends a job is not to end this before it.
IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


def members(folder: Path, owner: int = 0) -> Iterator[int]:
    """The processes of the cluster of a folder, but its owner: those that it is named to.

    Ray's agents write over their environment, but write files in the folder by then.
    """
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(owner):
            continue
        with suppress(OSError):  # it has ended, or is another user's
            named = f"{NAMED}={folder}".encode() in (process / "environ").read_bytes().split(b"\0")
            if named or any(_writes(process, each, folder) for each in os.listdir(process / "fd")):
                yield int(process.name)


def _writes(process: Path, descriptor: str, folder: Path) -> bool:
    try:
        path = Path(os.readlink(process / "fd" / descriptor))
        if not path.is_relative_to(folder):
            return False
        told = (process / "fdinfo" / descriptor).read_text()
    except FileNotFoundError:  # it has been closed meanwhile
        return False
    flags = re.findall(r"flags:\s*(\d+)", told)
    return any(int(each, 8) & (os.O_WRONLY | os.O_RDWR) for each in flags)


def end(folder: Path, owner: int) -> None:
    """End the processes of the cluster, and those that they start meanwhile; remove its folder."""
    while left := list(members(folder, owner)):
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for name in IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    parent = os.getppid()
    sys.stdin.buffer.read()
    end(Path(sys.argv[1]), parent)
