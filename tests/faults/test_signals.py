"""The driver is asked to end at any moment, or killed: it and its cluster leave nothing behind."""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from attnray.executors.guard import members
from tests.builders.jobs import Job
from tests.builders.trial import Trial, chosen, ended, wait_until

#: When: as libraries are imported, as a cluster starts, or once so much of a run is done.
IMPORTS, STARTS = "imports", "starts"
MOMENTS = (IMPORTS, STARTS, 0.05, 0.4, 0.9)
#: How far a run is.
PROGRESS = re.compile(r"tiny: \w+ \d+ of \d+")
ASKED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@pytest.fixture
def temporary(trial: Trial) -> Iterator[Path]:
    """The folder for temporary files of the trial; its path is short, as sockets need it."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    trial.variables["TMPDIR"] = str(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("number", "moment", "executor"),
    chosen([*product(ASKED, MOMENTS, ["ray"]), *product(ASKED, MOMENTS[::2], ["serial"])], 3),
)
def test_asked_to_end(
    number: signal.Signals, moment: str | float, executor: str, trial: Trial, temporary: Path
) -> None:
    job = trial.start(f"executor={executor}", scratch=True)
    wait_for(moment, trial, temporary, job)
    job.send_signal(number)
    assert ended(job) == 128 + number
    (line,) = [line for line in trial.said.read_text().splitlines() if not PROGRESS.match(line)]
    assert line.startswith("attnray: ")
    assert "the same command goes on" in line
    check_nothing_left(temporary)


@pytest.mark.parametrize("moment", chosen((STARTS, 0.05, 0.4, 0.9), 1))
def test_a_killed_driver(moment: str | float, trial: Trial, temporary: Path) -> None:
    job = trial.start("executor=ray", scratch=True)
    wait_for(moment, trial, temporary, job)
    job.send_signal(signal.SIGKILL)
    assert ended(job) == -signal.SIGKILL
    check_nothing_left(temporary)


def wait_for(moment: str | float, trial: Trial, temporary: Path, job: Job) -> None:
    """Wait for a moment of the job, which is not over then."""
    if moment == IMPORTS:
        maps = Path(f"/proc/{job.pid}/maps")
        wait_until(lambda: job.poll() is not None or "libtorch" in maps.read_text())
    elif moment == STARTS:
        wait_until(lambda: job.poll() is not None or any(temporary.glob("attnray-*/ray/session_*")))
    else:
        assert isinstance(moment, float)
        trial.wait_for(moment, job)
    assert job.poll() is None, trial.said.read_text()


def check_nothing_left(temporary: Path) -> None:
    """No process of a cluster that has its files there goes on, and none of ours stays."""

    def left() -> list[object]:
        return [*members(temporary), *temporary.glob("attnray-*")]

    wait_until(lambda: not left(), lambda: f"left: {left()}")
