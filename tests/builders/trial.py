"""Runs that a fault befalls: when it does, and what holds after every one of them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.builders.jobs import Job, start, tables
from tests.builders.processes import Process, having, wait_for_end

T = TypeVar("T")
#: `all` for every fault, else the seed of those that are tried.
FAULTS = os.environ.get("ATTNRAY_FAULTS", "0")
#: Names the run in the environment of the processes that a job starts.
MARK = "ATTNRAY_TRIAL"
#: Ends what would hang; nothing is promised by it.
LONGEST_SECONDS = 200
#: What a run commits, each by a rename: what is there is whole.
COMMITTED = ("shards/*.parquet", "manifest.json", "done/*/*.json", "tables/*", "report.html")


def chosen(cases: Sequence[T], few: int) -> list[T]:
    """All of these cases with ATTNRAY_FAULTS=all, else a few that its seed draws."""
    if FAULTS == "all":
        return list(cases)
    drawn = random.Random(f"{FAULTS} {cases}").sample(range(len(cases)), few)
    return [cases[number] for number in sorted(drawn)]


@dataclass
class Trial:
    """A run that a fault befalls.

    Args:
        whole: the run that nothing happens to.
        run_dir: where the run goes; not there yet.
        settings: those of both.
        variables: what the jobs have on top of a user's environment.
    """

    whole: Path
    run_dir: Path
    settings: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)

    def start(self, *overrides: str, scratch: bool = False) -> Job:
        """Start the run, or go on with it."""
        settings = (f"run_dir={self.run_dir}", *self.settings, *overrides)
        variables = self.variables | {MARK: str(self.run_dir)}
        self.said.touch()
        with self.said.open("ab") as said:
            write = (said, said)
            return start("run", *settings, write=write, variables=variables, scratch=scratch)

    @property
    def said(self) -> Path:
        """The file with what the jobs print."""
        return self.run_dir.with_name(f"{self.run_dir.name}.said")

    def committed(self, run_dir: Path | None = None) -> dict[str, int]:
        """What is done, each with the time it was written in nanoseconds."""
        folder = run_dir or self.run_dir
        found = {}
        for pattern in COMMITTED:
            for path in folder.glob(pattern):
                found[str(path.relative_to(folder))] = path.stat().st_mtime_ns
        return found

    def wait_for(self, share: float, job: Job) -> None:
        """Wait until so much of the run is done."""
        wanted = share * len(self.committed(self.whole))
        wait_until(lambda: len(self.committed()) >= wanted or job.poll() is not None)

    def processes(self, command: str = "") -> list[Process]:
        """What the jobs started that still runs, and has this in its command."""
        started = having(f"{MARK}={self.run_dir}")
        return [process for process in started if command in process.command]

    def found(self, command: str, job: Job) -> list[Process]:
        """Such processes, once there are any."""

        def started() -> list[Process]:
            assert job.poll() is None, self.said.read_text()
            return self.processes(command)

        return wait_until(started)

    def check_goes_on(self, *overrides: str, scratch: bool = False) -> None:
        """The same command ends the run, as if nothing had happened, and repeats nothing."""
        before = self.committed()
        status = ended(self.start(*overrides, scratch=scratch))
        assert status == 0, self.said.read_text()
        self.check_whole(before)

    def check_whole(self, before: dict[str, int]) -> None:
        """The run is that to which nothing happens; what was done before was not done again."""
        assert tables(self.run_dir) == tables(self.whole)
        after = self.committed()
        # (What is planned is counted again in the end, as the table of the corpus.)
        again = [
            name for name in before if name.startswith("done/") and after[name] != before[name]
        ]
        assert not again
        assert after.keys() == self.committed(self.whole).keys()
        self.check_nothing_left()

    def check_incomplete(self, job: Job, *named: str) -> None:
        """The job ends by itself with status 1 and one line, which has these words."""
        assert ended(job) == 1, self.said.read_text()
        said = self.said.read_text()
        (line,) = [line for line in said.splitlines() if line.startswith("attnray: ")]
        assert all(word in line for word in named), line
        assert "Traceback" not in said
        self.check_no_process_left()

    def check_nothing_left(self) -> None:
        """No process of the jobs is left, nor a file with a temporary name."""
        assert not list(self.run_dir.rglob("*.writing"))
        self.check_no_process_left()

    def check_no_process_left(self) -> None:
        """The processes that the jobs started end."""
        wait_until(lambda: not self.processes(), lambda: f"left: {self.processes()}")

    def end(self) -> None:
        """Leave nothing behind, whatever came of it."""
        left = self.processes()
        for process in left:
            os.kill(process.pid, signal.SIGKILL)
        wait_for_end(left)


def ended(job: Job) -> int:
    """The status of a job that is to end."""
    return job.wait(LONGEST_SECONDS)


def wait_until(ready: Callable[[], T], what: Callable[[], str] = lambda: "") -> T:
    """Wait for something that is to happen: until this gives what is true."""
    end = time.monotonic() + LONGEST_SECONDS
    while not (found := ready()):
        assert time.monotonic() < end, what()
        time.sleep(0.02)
    return found
