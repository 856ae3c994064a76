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


@pytest.mark.skipif(os.geteuid() != 0, reason="hides files from a node, as root")
def test_a_node_that_sees_or_runs_something_else_is_refused(trial: Trial, tmp_path: Path) -> None:
    trial.run_dir.mkdir()
    site = Path(numpy.__file__).parents[1]
    installed = site / f"numpy-{numpy.__version__}.dist-info" / "METADATA"
    other = tmp_path / "METADATA"
    other.write_text(installed.read_text().replace(numpy.__version__, "0.0.1"))
    with head_node() as user:
        add_node(
            user, before=f"mount -t tmpfs none {trial.run_dir} && mount --bind {other} {installed}"
        )
        trial.variables |= user | {"RAY_ADDRESS": user["HEAD_ADDRESS"]}
        job = trial.start("executor=ray", scratch=True)
        assert ended(job) == 2, trial.said.read_text()
    (line,) = [line for line in trial.said.read_text().splitlines() if line.startswith("attnray: ")]
    assert f"does not see {trial.run_dir}" in line
    assert f"has numpy 0.0.1, this machine {numpy.__version__}" in line
    assert not list(trial.run_dir.glob("done/*/*"))
    assert not list(trial.run_dir.glob(".probe-*"))


def started(trial: Trial, user: dict[str, str]) -> Job:
    """The run on a cluster, with an extractor a node."""
    trial.variables |= user | {"RAY_ADDRESS": user["HEAD_ADDRESS"]}
    return trial.start("executor=ray", "executor.extractors=3", scratch=True)


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
