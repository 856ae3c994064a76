"""Running jobs as a user does: processes of their own, and what they leave behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from tests.builders.forked import Forked, serve
from tests.builders.processes import descendants, wait_for_end

ROOT = Path(__file__).resolve().parents[2]

Job = Forked | subprocess.Popen[bytes]
Files = tuple[IO[bytes], IO[bytes]] | None

#: As the tests were started: libraries set variables in their process since.
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "PYTEST_"))}

#: Small shards and batches, so that a small corpus has many of them.
SMALL = ("shard.examples=12", "batch.tokens=160", "store.block_mib=1", "store.chunk_cells=1024")


def command(job: str, *overrides: str) -> list[str]:
    """The command line of a job."""
    return [sys.executable, str(ROOT / "jobs" / f"{job}.py"), *overrides]


def environment() -> dict[str, str]:
    """The environment of a user with no cluster."""
    return dict(ENVIRONMENT)


@cache
def server() -> socket.socket:
    """The way to the process that jobs are forked from, which is started when it is needed."""
    return serve(environment())


def start(
    job: str,
    *overrides: str,
    cwd: Path | None = None,
    scratch: bool = False,
    write: Files = None,
    variables: dict[str, str] | None = None,
) -> Job:
    """Start a job: forked from a process that has its imports, or from scratch, as a shell does.

    `write` has the files of its two outputs, `variables` is what its environment has more.
    """
    line, more = command(job, *overrides), variables or {}
    with open(os.devnull, "wb") as nothing:
        stdout, stderr = write or (nothing, nothing)
        if scratch:
            user = environment() | more
            return subprocess.Popen(line, cwd=cwd, env=user, stdout=stdout, stderr=stderr)
        outputs = stdout.fileno(), stderr.fileno()
        return Forked(server(), line[1:], cwd or Path.cwd(), more, *outputs)


def run_job(
    job: str,
    *overrides: str,
    cwd: Path | None = None,
    scratch: bool = False,
    variables: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a job to its end."""
    with TemporaryFile() as stdout, TemporaryFile() as stderr:
        write = (stdout, stderr)
        process = start(job, *overrides, cwd=cwd, scratch=scratch, write=write, variables=variables)
        try:
            status = process.wait()
        except BaseException:
            kill(process)
            raise
        written = []
        for file in (stdout, stderr):
            file.seek(0)
            written.append(file.read().decode())
    return subprocess.CompletedProcess(command(job, *overrides), status, *written)


def succeed(
    job: str,
    *overrides: str,
    cwd: Path | None = None,
    scratch: bool = False,
    variables: dict[str, str] | None = None,
) -> str:
    """Run a job that must end with status 0; gives what it printed."""
    done = run_job(job, *overrides, cwd=cwd, scratch=scratch, variables=variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(
    job: str,
    *overrides: str,
    status: int = 2,
    scratch: bool = False,
    variables: dict[str, str] | None = None,
) -> str:
    """Run a job that must end with this status and one line; gives the line."""
    done = run_job(job, *overrides, scratch=scratch, variables=variables)
    assert done.returncode == status, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("attnray: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    if status == 2:  # (what takes long is told of, on a busy machine)
        assert [line for line in done.stderr.splitlines() if not line.endswith("…")] == lines
    return lines[0]


def kill_when(ready: Callable[[], bool], job: str, *overrides: str) -> None:
    """Start a job, and end it with SIGKILL as soon as something has happened."""
    process = start(job, *overrides)
    try:
        wait_while_running(process, ready)
    finally:
        kill(process)


def wait_while_running(process: Job, ready: Callable[[], bool]) -> None:
    """Wait for something to happen while a job runs."""
    while not ready():
        assert process.poll() is None, "the job ended before"
        time.sleep(0.02)


def kill(process: Job) -> None:
    """End a job with SIGKILL, and wait for what it started to end: a cluster's workers go on."""
    started = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for_end(started)


def tables(run_dir: Path) -> dict[str, bytes]:
    """Every table of a run, to the last bit."""
    return {path.name: path.read_bytes() for path in sorted((run_dir / "tables").glob("*.parquet"))}


def findings(run_dir: Path) -> str:
    """The page of a run, but for what tells the run from others that are made in the same way."""
    text = (run_dir / "report.html").read_text(encoding="utf-8")
    kept = re.sub(r"<pre>.*?</pre>", "", text, flags=re.S)
    return re.sub("<tr>\n?<th[^>]*>(begun|run folder)</th>.*?</tr>", "", kept, flags=re.S)


def markers(run_dir: Path, stage: str) -> dict[str, int]:
    """The markers of a stage, each with the time it was written in nanoseconds."""
    # A marker that is being written has another name: killed then, a process leaves it behind.
    whole = (run_dir / "done" / stage).glob("*.json")
    return {path.name: path.stat().st_mtime_ns for path in whole}


def read_table(run_dir: Path, name: str) -> pa.Table:
    """A table of a run."""
    return pq.read_table(run_dir / "tables" / f"{name}.parquet", partitioning=None)
