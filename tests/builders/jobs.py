"""Running jobs as a user does: processes of their own, and what they leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Small shards and batches, so that a small corpus has many of them.
SMALL = ("shard.examples=12", "batch.tokens=160", "store.block_mib=1", "store.chunk_cells=1024")


def command(job: str, *overrides: str) -> list[str]:
    """The command line of a job."""
    return [sys.executable, str(ROOT / "jobs" / f"{job}.py"), *overrides]


def environment() -> dict[str, str]:
    """The environment of a user with no cluster."""
    return {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}


def run_job(job: str, *overrides: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a job to its end."""
    return subprocess.run(
        command(job, *overrides),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def succeed(job: str, *overrides: str, cwd: Path | None = None) -> str:
    """Run a job that must end with status 0; gives what it printed."""
    done = run_job(job, *overrides, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(job: str, *overrides: str, status: int = 2) -> str:
    """Run a job that must end with this status and one line; gives the line."""
    done = run_job(job, *overrides)
    assert done.returncode == status, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("attnray: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    if status == 2:
        assert done.stderr.strip() == lines[0]
    return lines[0]


def kill_when(ready: Callable[[], bool], job: str, *overrides: str) -> None:
    """Start a job and end its process with SIGKILL as soon as something has happened."""
    process = subprocess.Popen(
        command(job, *overrides),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while not ready():
        assert process.poll() is None, "the job ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def tables(run_dir: Path) -> dict[str, bytes]:
    """Every table of a run, to the last bit."""
    return {path.name: path.read_bytes() for path in sorted((run_dir / "tables").iterdir())}


def markers(run_dir: Path, stage: str) -> dict[str, int]:
    """The markers of a stage, each with the time it was written in nanoseconds."""
    # A marker that is being written has another name: killed then, a process leaves it behind.
    whole = (run_dir / "done" / stage).glob("*.json")
    return {path.name: path.stat().st_mtime_ns for path in whole}
