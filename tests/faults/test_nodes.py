"""Nodes of a cluster that differ from the driver's machine, that are lost, and that come."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy
import pytest

from tests.builders.cluster import NODE, add_node, head_node
from tests.builders.jobs import Job
from tests.builders.processes import having
from tests.builders.trial import Trial, chosen, ended


def started(trial: Trial, user: dict[str, str]) -> Job:
    """The run on a cluster, with an extractor a node."""
    trial.variables |= user | {"RAY_ADDRESS": user["HEAD_ADDRESS"]}
    return trial.start("executor=ray", "executor.extractors=3", scratch=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="hides files from a node, as root")
@pytest.mark.parametrize("later", chosen([False, True], 1))
def test_a_node_that_sees_or_runs_something_else_is_refused(
    later: bool, trial: Trial, tmp_path: Path
) -> None:
    trial.run_dir.mkdir()
    site = Path(numpy.__file__).parents[1]
    installed = site / f"numpy-{numpy.__version__}.dist-info" / "METADATA"
    other = tmp_path / "METADATA"
    other.write_text(installed.read_text().replace(numpy.__version__, "0.0.1"))
    hidden = f"mount -t tmpfs none {trial.run_dir} && mount --bind {other} {installed}"
    with head_node() as user:
        if not later:
            add_node(user, before=hidden)
        job = started(trial, user)
        if later:  # it gets the tasks of an extractor that there was no place for
            trial.wait_for(0.2, job)
            add_node(user, before=hidden)
        assert ended(job) == 2, trial.said.read_text()
    (line,) = [line for line in trial.said.read_text().splitlines() if line.startswith("attnray: ")]
    assert f"does not see {trial.run_dir}" in line
    assert f"has numpy 0.0.1, that of the command {numpy.__version__}" in line
    assert later or not list(trial.run_dir.glob("done/*/*"))
    assert not list(trial.run_dir.glob(".probe"))


@pytest.mark.parametrize("share", chosen([0.2, 0.5], 0))
def test_a_node_is_lost_and_one_comes(share: float, trial: Trial) -> None:
    with head_node() as user:
        for name in ("one", "two"):
            add_node(user, name)
        job = started(trial, user)
        trial.wait_for(share, job)
        for process in having(f"{NODE}=one"):
            os.kill(process.pid, signal.SIGKILL)
        add_node(user, "three")
        assert ended(job) == 0, trial.said.read_text()
        trial.check_whole({})


@pytest.mark.parametrize("share", chosen([0.2, 0.5], 0))
def test_the_head_node_is_lost(share: float, trial: Trial) -> None:
    with head_node() as user:
        add_node(user, "one")
        job = started(trial, user)
        trial.wait_for(share, job)
    trial.check_incomplete(job, "Ray", "the same command goes on")
    with head_node() as user:
        trial.variables |= user | {"RAY_ADDRESS": user["HEAD_ADDRESS"]}
        trial.check_goes_on("executor=ray", scratch=True)


@pytest.mark.parametrize("share", chosen([0.2, 0.5], 0))
def test_workers_of_a_killed_driver_do_not_disturb_the_next(share: float, trial: Trial) -> None:
    with head_node() as user:
        job = started(trial, user)
        trial.wait_for(share, job)
        job.send_signal(signal.SIGKILL)
        assert ended(job) == -signal.SIGKILL
        trial.check_goes_on("executor=ray", "executor.extractors=3", scratch=True)
