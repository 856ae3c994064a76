"""The Ray executor: actors with the model pinned to GPUs, analyses on CPUs, probes on either.

Weights never pass through Ray's object store: an actor commits a shard to the run folder,
and only then is a task submitted that reads it from there.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

# Ray reads these as it is imported. Without GPUs it is to leave CUDA_VISIBLE_DEVICES alone; a
# cluster of our own asks for a token, as is Ray's default, but without a warning that it does.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
if "RAY_ADDRESS" not in os.environ:
    os.environ.setdefault("RAY_AUTH_MODE", "token")

import ray

import attnray
from attnray.config import ExecutorConfig
from attnray.errors import IncompleteRun, InputError, describe
from attnray.executors.schedule import Assigned, Flight, Schedule
from attnray.executors.work import Outcome, Work, local_device
from attnray.executors.worker import ModelWorker, run_free
from attnray.stages.tasks import ExtractTask, ProbeTask, Task

T = TypeVar("T")
R = TypeVar("R")
#: Shards given to an actor at a time: the next one waits there while one is worked on.
IN_FLIGHT = 2
#: A cluster starts, and its workers are ready, in the time in which so many parts are planned.
WORTH_A_CLUSTER = 8
#: The job's arrays travel by the run folder, so Ray's store can be small.
OBJECT_STORE_BYTES = 100 * 2**20


class RayExecutor:
    """Runs on the cluster of RAY_ADDRESS, else on one of its own on this machine."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config

    def device(self) -> str:
        """See `Executor.device`."""
        if self._config.gpus_per_extractor is not None or "RAY_ADDRESS" not in os.environ:
            return local_device(self._config)
        return _cluster_device()

    def spread(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        """See `Executor.spread`; few items are left to this process, if there is no cluster yet."""
        if len(items) < WORTH_A_CLUSTER and not ray.is_initialized():
            return map(function, items)
        return self._spread(function, items)

    def _spread(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        _Connection.open()
        task = ray.remote(function).options(num_cpus=1, max_retries=self._config.retries)
        waiting = deque(task.remote(item) for item in items)
        try:
            while waiting:
                yield ray.get(waiting[0])
                waiting.popleft()
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            lost = f"a worker was lost ({describe(error)})"
            raise IncompleteRun(f"{lost}; the same command tries again") from error
        finally:
            for reference in waiting:
                ray.cancel(reference)

    def run(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """See `Executor.run`."""
        if not any(works):
            return
        with _Connection():
            self._check_resources(works)
            state = Schedule(works)
            self._submit(state)
            while state.flying:
                finished, _ = ray.wait(list(state.flying), num_returns=1)
                yield from self._collect(state, finished[0])
                self._submit(state)

    def _gpus(self, works: Sequence[Work]) -> float:
        """How many GPUs what needs a model takes; none where only analyses are left."""
        if all(work.model.device == "cpu" or not work.needs_model for work in works):
            return 0
        return self._config.gpus_per_extractor or 1

    def _check_resources(self, works: Sequence[Work]) -> None:
        """Refuse what the cluster can never place, which Ray would wait for without an end."""
        have = ray.cluster_resources()
        for resource, wanted in (
            ("GPU", self._gpus(works)),
            ("CPU", self._config.cpus_per_extractor),
        ):
            if wanted > have.get(resource, 0):
                raise InputError(
                    f"an extractor asks for {wanted:g} {resource} but the cluster has "
                    f"{have.get(resource, 0):g}: lower executor.{resource.lower()}s_per_extractor"
                )

    def _extractors(self, works: Sequence[Work]) -> int:
        """How many actors: as configured, else one a GPU share, or half of the CPUs."""
        if self._config.extractors is not None:
            return self._config.extractors
        have, gpus = ray.cluster_resources(), self._gpus(works)
        if gpus:
            return int(have["GPU"] / gpus)
        return max(1, int(have["CPU"] / 2 / self._config.cpus_per_extractor))

    def _analysers(self) -> int:
        """How many analyses may be in flight."""
        return self._config.analysers or max(1, int(ray.cluster_resources()["CPU"]))

    def _submit(self, state: Schedule) -> None:
        """Give every actor its tasks, and start as many others as may be in flight."""
        waiting = sum(map(len, state.waiting))
        wanted = min(self._extractors(state.works), waiting + len(state.actors))
        while len(state.actors) < wanted:
            state.actors[self._new_actor(state.works)] = None
        for _ in range(IN_FLIGHT):
            for actor in state.actors:
                if any(state.waiting) and state.load(actor) < IN_FLIGHT:
                    assigned = state.next_for(actor)
                    model = state.works[assigned.work].model
                    reference = actor.run.remote(model, assigned.task)
                    state.flying[reference] = Flight(assigned, actor)
        flying = sum(flight.actor is None for flight in state.flying.values())
        for _ in range(min(self._analysers() - flying, len(state.ready))):
            assigned = state.ready.popleft()
            reference = self._free(assigned.task, state.works).remote(assigned.task)
            state.flying[reference] = Flight(assigned)

    def _new_actor(self, works: Sequence[Work]) -> Any:
        options = {
            "num_cpus": self._config.cpus_per_extractor,
            "num_gpus": self._gpus(works),
            "max_concurrency": IN_FLIGHT,
        }
        return ray.remote(ModelWorker).options(**options).remote()

    def _free(self, task: Task, works: Sequence[Work]) -> Any:
        """What runs a task that is bound to no actor."""
        gpus = self._gpus(works) if isinstance(task, ProbeTask) else 0
        options = {"num_cpus": 1, "num_gpus": gpus, "max_retries": self._config.retries}
        return ray.remote(run_free).options(**options)

    def _collect(self, state: Schedule, reference: Any) -> Iterator[Outcome]:
        """Take in one finished task, and what follows from it."""
        flight = state.flying.pop(reference)
        assigned, actor = flight.assigned, flight.actor
        outcome = self._outcome(state, reference, flight)
        if outcome is not None:
            yield outcome
            if outcome.refused:
                state.refuse(assigned.work)
            following = state.works[assigned.work].analyse.get(getattr(assigned.task, "shard", -1))
            extracted = isinstance(assigned.task, ExtractTask) and not outcome.error
            if extracted and following and assigned.work not in state.refused:
                state.ready.append(Assigned(assigned.work, following))
        if actor is not None:
            state.ended(assigned)
        self._release(state)

    def _outcome(self, state: Schedule, reference: Any, flight: Flight) -> Outcome | None:
        """How a finished task ended; None where it goes back in line."""
        work, task = flight.assigned.work, flight.assigned.task
        try:
            ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            refused = error.cause if isinstance(error.cause, InputError) else None
            return Outcome(work, task, describe(error.cause), refused)
        except ray.exceptions.RayError as error:
            if flight.actor is None:
                return Outcome(work, task, describe(error))
            if self._again(state, flight):
                return None
            lost = f"its worker was lost {state.losses[flight.assigned.key]} times"
            return Outcome(work, task, f"{lost}, at last by {describe(error)}")
        return Outcome(work, task)

    def _again(self, state: Schedule, flight: Flight) -> bool:
        """Put a task whose actor died back in line, a bounded number of times."""
        state.actors.pop(flight.actor, None)
        if flight.assigned.work in state.refused:
            return False
        state.losses[flight.assigned.key] += 1
        if state.losses[flight.assigned.key] > self._config.retries:
            return False
        state.wait(flight.assigned)
        return True

    def _release(self, state: Schedule) -> None:
        """End the actors that have nothing left to do: their CPUs go to the analyses."""
        if any(state.waiting):
            return
        for actor in [actor for actor in state.actors if not state.load(actor)]:
            del state.actors[actor]
            ray.kill(actor)


@lru_cache
def _cluster_device() -> str:
    """What the cluster of RAY_ADDRESS has: a sweep asks for every member."""
    with _Connection():
        return "cuda" if ray.cluster_resources().get("GPU") else "cpu"


class _Connection:
    """A connection to Ray for the time of a run; a cluster of our own ends with it.

    It may be open before: a plan leaves it open for the run that follows.
    """

    _ours: ClassVar[bool] = False

    def __enter__(self) -> None:
        self.open()

    def __exit__(self, *_: object) -> None:
        if self._ours:
            ray.shutdown()
            type(self)._ours = False

    @classmethod
    def open(cls) -> None:
        """Connect, unless this process is connected."""
        if ray.is_initialized():
            return
        address = os.environ.get("RAY_ADDRESS")
        ray.init(
            **(_given(address) if address else _own()),
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
        cls._ours = True


def _own() -> dict[str, Any]:
    """A local cluster, with a CPU for an extractor and one for an analysis at the least."""
    return {
        "address": "local",
        "num_cpus": max(2, _cores()),
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _given(address: str) -> dict[str, Any]:
    """A running cluster. A submitted job has its code there; else ours is sent along."""
    if in_submitted_job():
        return {"address": address}
    package = str(Path(attnray.__file__).parent)
    return {"address": address, "runtime_env": {"py_modules": [package]}}


def in_submitted_job() -> bool:
    """Whether this process was started by `ray job submit`."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
