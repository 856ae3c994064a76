"""A job in this process, over and over: each time the machine refuses one of its accesses to files.

Run as a script: `walk FOLDERS CASES SETTINGS…`, the first two in JSON. It prints a line of JSON for
each case: what the job said and did, and what the same command did afterwards, undisturbed.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from attnray.cli.main import _status

#: That the run folder is removed.
REMOVED = "removed"
#: What the machine says to one access: by name, and whether it says so from then on.
FAULTS: dict[str, tuple[int | Exception, bool]] = {
    "full": (errno.ENOSPC, True),
    "read-only": (errno.EROFS, True),
    "forbidden": (errno.EACCES, True),
    "broken": (errno.EIO, False),
    "disconnected": (ConnectionError("the connection was lost"), False),
    "no memory": (MemoryError(), False),
    REMOVED: (0, False),
}
#: Those that only writing meets.
OF_WRITES = {"full", "read-only"}
#: What reads, or makes room.
READS = {"os.listdir", "os.scandir", "os.remove", "os.rmdir"}


class Machine:
    """Counts what is done with the files of some folders, and refuses one thing."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = tuple(folders)
        self.seen = self.at = 0
        self.fault = ""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """As an audit hook, which Python calls before it does anything of this kind."""
        if not self.at or not arguments or event.partition(".")[0] not in ("open", "os"):
            return
        if not isinstance(arguments[0], str | os.PathLike):
            return
        path = os.fspath(arguments[0])
        if not path.startswith(self._folders) or (
            self.fault in OF_WRITES and reads(event, arguments)
        ):
            return
        self.seen += 1
        error, lasts = FAULTS.get(self.fault, (0, False))
        if self.seen < self.at or (self.seen > self.at and not lasts):
            return
        if self.fault == REMOVED:
            self.at = 0  # what follows is not the job's
            shutil.rmtree(self._folders[0], ignore_errors=True)
        elif isinstance(error, int):
            raise OSError(error, os.strerror(error), path)
        else:
            raise error


def reads(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether something can be done on a disk that takes nothing."""
    if event == "open":
        return not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return event in READS


def job() -> dict[str, Any]:
    """Do the job, and tell of it."""
    with redirect_stderr(io.StringIO()) as said, redirect_stdout(io.StringIO()):
        status = _status("run", sys.argv[1:])
    return {"status": status, "said": said.getvalue()}


def tables(folder: Path) -> dict[str, bytes]:
    """Every table of a run, to the last bit."""
    return {path.name: path.read_bytes() for path in (folder / "tables").glob("*.parquet")}


def walk(folders: list[str], cases: list[tuple[str, float]]) -> None:
    """Do the job for each case, which is a fault and the share of the accesses before it."""
    run, machine = Path(folders[0]), Machine(folders)
    sys.addaudithook(machine)
    totals: dict[bool, int] = {}
    for of_writes, fault in ((False, ""), (True, "full")):
        machine.at, machine.seen, machine.fault = sys.maxsize, 0, fault
        assert job()["status"] == 0
        totals[of_writes], machine.at = machine.seen, 0
        whole = tables(run)
        shutil.rmtree(run)
    for fault, share in cases:
        machine.seen, machine.fault = 0, fault
        machine.at = 1 + int(share * totals[fault in OF_WRITES])
        found = job()
        machine.at = 0
        again = job()
        same = again["status"] == 0 and tables(run) == whole
        print(json.dumps({"fault": fault, "share": share, **found, "again": again, "same": same}))
        shutil.rmtree(run)


if __name__ == "__main__":
    folders, cases, *sys.argv[1:] = map(str, sys.argv[1:])
    walk(json.loads(folders), json.loads(cases))
