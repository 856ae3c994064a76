"""What the driver works with ends or hangs: it goes on by itself, or says that it cannot."""

from __future__ import annotations

import os
import signal
from itertools import product

import pytest

from tests.builders.trial import Trial, chosen, ended, wait_until

#: What does the work, and what Ray has beside it, by their commands.
EXTRACTOR, ANALYSER = "ray::Extractor", "ray::analyse"
SERVERS = ("raylet/raylet", "gcs/gcs_server")


@pytest.mark.parametrize("worker", chosen([EXTRACTOR, ANALYSER], 1))
def test_a_lost_worker_is_replaced(worker: str, trial: Trial) -> None:
    job = trial.start("executor=ray")
    trial.wait_for(0.3, job)
    for process in trial.found(worker, job):
        os.kill(process.pid, signal.SIGKILL)
    before = trial.committed()
    assert ended(job) == 0, trial.said.read_text()
    trial.check_whole(before)


@pytest.mark.parametrize(
    ("server", "sent"), chosen([*product(SERVERS, [signal.SIGKILL, signal.SIGSTOP])], 1)
)
def test_a_cluster_that_is_gone_is_said(server: str, sent: signal.Signals, trial: Trial) -> None:
    job = trial.start("executor=ray")
    trial.wait_for(0.3, job)
    for process in trial.found(server, job):
        os.kill(process.pid, sent)
    if job.wait() == 0:  # nothing was left to ask the cluster for
        trial.check_whole({})
    else:
        trial.check_incomplete(job, "Ray", "the same command goes on")
        trial.check_goes_on("executor=serial")


@pytest.mark.parametrize("share", chosen([0.2], 0))
def test_an_extractor_that_does_not_answer_is_said(share: float, trial: Trial) -> None:
    job = trial.start("executor=ray", "executor.extractors=1")
    trial.wait_for(share, job)
    (extractor,) = trial.found(EXTRACTOR, job)
    os.kill(extractor.pid, signal.SIGSTOP)
    wait_until(lambda: "its worker has not answered for" in trial.said.read_text())
    os.kill(extractor.pid, signal.SIGCONT)
    assert ended(job) == 0
    trial.check_whole({})


@pytest.mark.parametrize("worker", chosen([EXTRACTOR, ANALYSER], 0))
def test_a_worker_that_hangs_is_replaced(worker: str, trial: Trial) -> None:
    job = trial.start("executor=ray", "executor.deadline=60")
    trial.wait_for(0.3, job)
    for process in trial.found(worker, job):
        os.kill(process.pid, signal.SIGSTOP)
    before = trial.committed()
    assert ended(job) == 0, trial.said.read_text()
    trial.check_whole(before)
