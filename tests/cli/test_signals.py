"""Signals that ask a job to end, in processes that do nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.jobs import ROOT, environment

#: Does what it is told to, stoppable.
PROGRAM = """
import sys, time
from attnray.cli import signals

signals.SECONDS = float(sys.argv[1])
with signals.stoppable():
    {}
"""
ENDS = """
    print("asked", flush=True)
    while True:
        time.sleep(0.01)
"""
CLINGS = """
    said = "asked"
    while True:
        try:
            print(said, flush=True)
            while True:
                time.sleep(0.01)
        except KeyboardInterrupt:
            said = "again"
"""


def started(program: str, seconds: float, **more: str) -> subprocess.Popen[str]:
    """A process that has said that it can be asked."""
    process = subprocess.Popen(
        [*more.values(), sys.executable, "-c", PROGRAM.format(program), str(seconds)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "asked\n"
    return process


@pytest.mark.parametrize(
    ("number", "how"),
    [
        (signal.SIGINT, "interrupted"),
        (signal.SIGHUP, "ended by SIGHUP"),
        (signal.SIGTERM, "ended by SIGTERM"),
    ],
)
def test_one_line_and_the_status_of_the_signal(number: signal.Signals, how: str) -> None:
    process = started(ENDS, 60)
    process.send_signal(number)
    stdout, stderr = process.communicate()
    line = f"attnray: {how}: the same command goes on where this one stopped\n"
    assert (process.returncode, stdout, stderr) == (128 + number, "", line)


def test_a_second_signal_ends_what_clings_at_once() -> None:
    process = started(CLINGS, 3600)
    process.send_signal(signal.SIGTERM)
    assert process.stdout
    assert process.stdout.readline() == "again\n"
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate()
    assert (process.returncode, len(stderr.splitlines())) == (143, 1)


def test_what_clings_ends_after_a_while() -> None:
    process = started(CLINGS, 0.1)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate()
    assert (process.returncode, len(stderr.splitlines())) == (143, 1)


def test_under_nohup_a_job_outlives_its_terminal() -> None:
    process = started(CLINGS, 3600, under="nohup")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert process.stdout
    assert process.stdout.readline() == "again\n"
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate()
    assert "ended by SIGTERM" in stderr
    assert "SIGHUP" not in stderr


def test_what_is_printed_may_go_unread() -> None:
    job = Path("jobs") / "list.py"
    line = f"{sys.executable} {job} | {sys.executable} -c ''; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_letters_that_a_terminal_lacks_end_no_job() -> None:
    code = "from attnray.cli.output import until_unread\nwith until_unread(): print('dep→head')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment(), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("dep?head\n", "")
