"""The Ray executor: actors with the model pinned to GPUs, analyses on CPUs, probes on either.

Weights never pass through Ray's object store: an actor commits a shard to the run folder,
and only then is a task submitted that reads it from there.
"""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
from attnray.errors import InputError, describe
from attnray.executors.work import Outcome, Task, Work, local_device
from attnray.executors.worker import ModelSettings, ModelWorker
from attnray.stages.analyse import analyse
from attnray.stages.extract import ExtractTask
from attnray.stages.probe import ProbeTask, probe

#: Shards given to an actor at a time: the next one waits there while one is worked on.
IN_FLIGHT = 2
#: The job's arrays travel by the run folder, so Ray's store can be small.
OBJECT_STORE_BYTES = 100 * 2**20


@dataclass(frozen=True)
class _Piece:
    """A task, and the place of the run it belongs to."""

    work: int
    task: Task

    @property
    def key(self) -> tuple[int, str, str]:
        """What tells it from every other piece."""
        return self.work, self.task.stage, self.task.name


@dataclass
class _Flight:
    """A piece on its way: on which actor, None where it needs none."""

    piece: _Piece
    actor: Any = None


class _State:
    """Where a run of the executor stands.

    Pieces on a model wait in a queue a model, `waiting`; runs of one model share it. `ready`
    has what needs no model, `actors` those alive, each with the model it was last given.
    """

    def __init__(self, works: Sequence[Work]) -> None:
        self.works = works
        models: list[ModelSettings] = []
        for work in works:
            models += [] if work.model in models else [work.model]
        self._model = [models.index(work.model) for work in works]
        self.waiting: list[deque[_Piece]] = [deque() for _ in models]
        self.ready: deque[_Piece] = deque()
        self._later: dict[int, list[_Piece]] = {}
        self._on_model: Counter[int] = Counter()
        for number, work in enumerate(works):
            for task in work.on_model():
                self.wait(_Piece(number, task))
            self.ready += [_Piece(number, task) for task in work.ready()]
            self._later[number] = [_Piece(number, task) for task in work.probe]
            self._release_probes(number)
        self.actors: dict[Any, int | None] = {}
        self.flying: dict[Any, _Flight] = {}
        self.losses: Counter[tuple[int, str, str]] = Counter()
        self.refused: set[int] = set()

    def wait(self, piece: _Piece) -> None:
        """Put a piece in the queue of its model."""
        self.waiting[self._model[piece.work]].append(piece)
        self._on_model[piece.work] += 1

    def next_for(self, actor: Any) -> _Piece:
        """A piece of the model that an actor has, else of the one that fewest actors have."""
        model = self.actors[actor]
        if model is None or not self.waiting[model]:
            having = Counter(self.actors.values())
            filled = [number for number, queue in enumerate(self.waiting) if queue]
            model = min(filled, key=lambda number: having[number])
        self.actors[actor] = model
        return self.waiting[model].popleft()

    def ended(self, piece: _Piece) -> None:
        """A piece on a model has ended for good, or will be put back in line."""
        self._on_model[piece.work] -= 1
        self._release_probes(piece.work)

    def refuse(self, work: int) -> None:
        """Forget what is left of a run."""
        self.refused.add(work)
        for number, queue in enumerate(self.waiting):
            self.waiting[number] = deque(piece for piece in queue if piece.work != work)
        self.ready = deque(piece for piece in self.ready if piece.work != work)
        self._later[work] = []

    def load(self, actor: Any) -> int:
        """How many pieces an actor has."""
        return sum(flight.actor == actor for flight in self.flying.values())

    def _release_probes(self, work: int) -> None:
        """Probes are trained once nothing of their run is left to do on the model."""
        if not self._on_model[work]:
            self.ready += self._later[work]
            self._later[work] = []


class RayExecutor:
    """Runs on the cluster of RAY_ADDRESS, else on one of its own on this machine."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config

    def device(self) -> str:
        """See `Executor.device`."""
        if self._config.gpus_per_extractor is not None or "RAY_ADDRESS" not in os.environ:
            return local_device(self._config)
        return _cluster_device()

    def run(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """See `Executor.run`."""
        if not any(works):
            return
        with _Connection():
            self._check_resources(works)
            state = _State(works)
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

    def _submit(self, state: _State) -> None:
        """Give every actor its pieces, and start as many others as may be in flight."""
        waiting = sum(map(len, state.waiting))
        wanted = min(self._extractors(state.works), waiting + len(state.actors))
        while len(state.actors) < wanted:
            state.actors[self._new_actor(state.works)] = None
        for _ in range(IN_FLIGHT):
            for actor in state.actors:
                if any(state.waiting) and state.load(actor) < IN_FLIGHT:
                    piece = state.next_for(actor)
                    model = state.works[piece.work].model
                    reference = actor.run.remote(model, piece.task)
                    state.flying[reference] = _Flight(piece, actor)
        flying = sum(flight.actor is None for flight in state.flying.values())
        for _ in range(min(self._analysers() - flying, len(state.ready))):
            piece = state.ready.popleft()
            reference = self._free(piece.task, state.works).remote(piece.task)
            state.flying[reference] = _Flight(piece)

    def _new_actor(self, works: Sequence[Work]) -> Any:
        options = {"num_cpus": self._config.cpus_per_extractor, "num_gpus": self._gpus(works)}
        return ray.remote(ModelWorker).options(**options).remote()

    def _free(self, task: Task, works: Sequence[Work]) -> Any:
        """What runs a piece that is bound to no actor."""
        options = {"num_cpus": 1, "max_retries": self._config.retries}
        if isinstance(task, ProbeTask):
            return ray.remote(probe).options(**options, num_gpus=self._gpus(works))
        return ray.remote(analyse).options(**options)

    def _collect(self, state: _State, reference: Any) -> Iterator[Outcome]:
        """Take in one finished piece, and what follows from it."""
        flight = state.flying.pop(reference)
        piece, actor = flight.piece, flight.actor
        outcome = self._outcome(state, reference, flight)
        if outcome is not None:
            yield outcome
            if outcome.refused:
                state.refuse(piece.work)
            following = state.works[piece.work].analyse.get(getattr(piece.task, "shard", -1))
            extracted = isinstance(piece.task, ExtractTask) and not outcome.error
            if extracted and following and piece.work not in state.refused:
                state.ready.append(_Piece(piece.work, following))
        if actor is not None:
            state.ended(piece)
        self._release(state)

    def _outcome(self, state: _State, reference: Any, flight: _Flight) -> Outcome | None:
        """How a finished piece ended; None where it goes back in line."""
        work, task = flight.piece.work, flight.piece.task
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
            lost = f"its worker was lost {state.losses[flight.piece.key]} times"
            return Outcome(work, task, f"{lost}, at last by {describe(error)}")
        return Outcome(work, task)

    def _again(self, state: _State, flight: _Flight) -> bool:
        """Put a piece whose actor died back in line, a bounded number of times."""
        state.actors.pop(flight.actor, None)
        if flight.piece.work in state.refused:
            return False
        state.losses[flight.piece.key] += 1
        if state.losses[flight.piece.key] > self._config.retries:
            return False
        state.wait(flight.piece)
        return True

    def _release(self, state: _State) -> None:
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
