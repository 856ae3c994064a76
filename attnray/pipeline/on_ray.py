"""The Ray executor: actors with the model pinned to GPUs, analyses on CPUs, probes on either.

Weights never pass through Ray's object store: an actor commits a shard to the run folder,
and only then is a task submitted that reads it from there.
"""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Ray reads these as it is imported. Without GPUs it is to leave CUDA_VISIBLE_DEVICES alone; a
# cluster of our own asks for a token, as is Ray's default, but without a warning that it does.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
if "RAY_ADDRESS" not in os.environ:
    os.environ.setdefault("RAY_AUTH_MODE", "token")

import ray

import attnray
from attnray.config import ExecutorConfig
from attnray.errors import InputError
from attnray.pipeline.analyse import AnalyseTask, analyse
from attnray.pipeline.executor import ModelTask, Outcome, Task, Work, describe, local_device
from attnray.pipeline.extract import ExtractTask
from attnray.pipeline.probing import ProbeTask, probe
from attnray.pipeline.worker import ModelWorker

#: Shards given to an actor at a time: the next one waits there while one is worked on.
IN_FLIGHT = 2
#: The job's arrays travel by the run folder, so Ray's store can be small.
OBJECT_STORE_BYTES = 100 * 2**20


@dataclass
class _Flight:
    """A piece of work on its way: on which actor, None where it needs none."""

    task: Task
    actor: Any = None


@dataclass
class _State:
    """Where a run of the executor stands."""

    work: Work
    waiting: deque[ModelTask]
    ready: deque[AnalyseTask | ProbeTask]
    later: deque[ProbeTask]
    actors: list[Any] = field(default_factory=list)
    flying: dict[Any, _Flight] = field(default_factory=dict)
    losses: Counter[tuple[str, str]] = field(default_factory=Counter)

    def load(self, actor: Any) -> int:
        """How many shards an actor has."""
        return sum(flight.actor == actor for flight in self.flying.values())

    def extracted(self) -> bool:
        """Whether no work on the model is left."""
        return not self.waiting and all(f.actor is None for f in self.flying.values())


class RayExecutor:
    """Runs on the cluster of RAY_ADDRESS, else on one of its own on this machine."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config

    def device(self) -> str:
        """See `Executor.device`."""
        if self._config.gpus_per_extractor is not None or "RAY_ADDRESS" not in os.environ:
            return local_device(self._config)
        with _Connection():
            return "cuda" if ray.cluster_resources().get("GPU") else "cpu"

    def run(self, work: Work) -> Iterator[Outcome]:
        """See `Executor.run`."""
        if not work:
            return
        with _Connection():
            self._check_resources(work)
            state = _State(work, deque(work.on_model()), deque(work.ready()), deque(work.probe))
            while state.waiting or state.ready or state.later or state.flying:
                self._submit(state)
                finished, _ = ray.wait(list(state.flying), num_returns=1)
                yield from self._collect(state, finished[0])

    def _gpus(self, work: Work) -> float:
        if work.model.device == "cpu":
            return 0
        return self._config.gpus_per_extractor or 1

    def _check_resources(self, work: Work) -> None:
        """Refuse what the cluster can never place, which Ray would wait for without an end."""
        have = ray.cluster_resources()
        for resource, wanted in (
            ("GPU", self._gpus(work)),
            ("CPU", self._config.cpus_per_extractor),
        ):
            if wanted > have.get(resource, 0):
                raise InputError(
                    f"an extractor asks for {wanted:g} {resource} but the cluster has "
                    f"{have.get(resource, 0):g}: lower executor.{resource.lower()}s_per_extractor"
                )

    def _extractors(self, work: Work) -> int:
        """How many actors: as configured, else one a GPU share, or half of the CPUs."""
        if self._config.extractors is not None:
            return self._config.extractors
        have, gpus = ray.cluster_resources(), self._gpus(work)
        if gpus:
            return int(have["GPU"] / gpus)
        return max(1, int(have["CPU"] / 2 / self._config.cpus_per_extractor))

    def _analysers(self) -> int:
        """How many analyses may be in flight."""
        return self._config.analysers or max(1, int(ray.cluster_resources()["CPU"]))

    def _submit(self, state: _State) -> None:
        wanted = min(self._extractors(state.work), len(state.waiting) + len(state.actors))
        while len(state.actors) < wanted:
            state.actors.append(self._new_actor(state.work))
        for _ in range(IN_FLIGHT):
            for actor in state.actors:
                if state.waiting and state.load(actor) < IN_FLIGHT:
                    task = state.waiting.popleft()
                    state.flying[actor.run.remote(task)] = _Flight(task, actor)
        if state.extracted():
            state.ready += state.later
            state.later.clear()
        flying = sum(flight.actor is None for flight in state.flying.values())
        for _ in range(min(self._analysers() - flying, len(state.ready))):
            piece = state.ready.popleft()
            state.flying[self._free(piece, state.work).remote(piece)] = _Flight(piece)

    def _new_actor(self, work: Work) -> Any:
        options = {"num_cpus": self._config.cpus_per_extractor, "num_gpus": self._gpus(work)}
        return ray.remote(ModelWorker).options(**options).remote(work.model)

    def _free(self, task: AnalyseTask | ProbeTask, work: Work) -> Any:
        """What runs a piece that is bound to no actor."""
        options = {"num_cpus": 1, "max_retries": self._config.retries}
        if isinstance(task, ProbeTask):
            return ray.remote(probe).options(**options, num_gpus=self._gpus(work))
        return ray.remote(analyse).options(**options)

    def _collect(self, state: _State, reference: Any) -> Iterator[Outcome]:
        """Take in one finished piece, and what follows from it."""
        flight = state.flying.pop(reference)
        task = flight.task
        try:
            ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, InputError):
                raise error.cause from None
            yield Outcome(task, describe(error.cause))
        except ray.exceptions.RayError as error:
            if isinstance(task, AnalyseTask | ProbeTask):
                yield Outcome(task, describe(error))
            elif not self._again(state, task, flight.actor):
                lost = f"its worker was lost {state.losses[task.stage, task.name]} times"
                yield Outcome(task, f"{lost}, at last by {describe(error)}")
        else:
            if isinstance(task, ExtractTask) and task.shard in state.work.analyse:
                state.ready.append(state.work.analyse[task.shard])
            yield Outcome(task)
        self._release(state)

    def _again(self, state: _State, task: ModelTask, actor: Any) -> bool:
        """Put a piece whose actor died back in line, a bounded number of times."""
        if actor in state.actors:
            state.actors.remove(actor)
        state.losses[task.stage, task.name] += 1
        if state.losses[task.stage, task.name] > self._config.retries:
            return False
        state.waiting.append(task)
        return True

    def _release(self, state: _State) -> None:
        """End the actors that have nothing left to do: their CPUs go to the analyses."""
        if state.waiting:
            return
        for actor in [actor for actor in state.actors if not state.load(actor)]:
            state.actors.remove(actor)
            ray.kill(actor)


class _Connection:
    """A connection to Ray for the time of a run; a cluster of our own ends with it."""

    def __enter__(self) -> None:
        self._ours = not ray.is_initialized()
        if self._ours:
            address = os.environ.get("RAY_ADDRESS")
            ray.init(
                **(_given(address) if address else _own()),
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
            )

    def __exit__(self, *_: object) -> None:
        if self._ours:
            ray.shutdown()


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
