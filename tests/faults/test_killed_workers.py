"""What the driver works with is killed, and it goes on by itself, or says that it cannot."""

from __future__ import annotations

import os
import signal

import pytest

from tests.builders.processes import Process
from tests.builders.trial import Trial, ended, wait_until

#: What does the work, by the commands of Ray's processes.
WORKERS = ("ray::ModelWorker",)


@pytest.mark.parametrize("worker", WORKERS)
def test_a_lost_worker_is_replaced(worker: str, trial: Trial) -> None:
    job = trial.start("executor=ray")
    trial.wait_for(0.3, job)
    found: list[Process] = []
    wait_until(lambda: bool(found.extend(trial.processes(worker)) or found))
    for process in found:
        os.kill(process.pid, signal.SIGKILL)
    before = trial.committed()
    assert ended(job) == 0, trial.said.read_text()
    trial.check_whole(before)
