"""The driver is killed at any moment, and the same command goes on."""

from __future__ import annotations

import random
import signal

import pytest

from tests.builders.trial import Trial, chosen

#: Shares of a run, one drawn from each twentieth: so the moments lie in all stages.
MOMENTS = [random.Random(part).uniform(part, part + 1) / 20 for part in range(20)]


@pytest.mark.parametrize("moment", chosen(MOMENTS, 3))
def test_a_serial_run(moment: float, trial: Trial) -> None:
    check_killed(moment, trial, "executor=serial")


@pytest.mark.parametrize("moment", chosen(MOMENTS, 1))
def test_a_run_on_ray(moment: float, trial: Trial) -> None:
    check_killed(moment, trial, "executor=ray")


def check_killed(moment: float, trial: Trial, executor: str) -> None:
    job = trial.start(executor)
    trial.wait_for(moment, job)
    job.send_signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    trial.check_no_process_left()
    trial.check_goes_on(executor)
