"""Runs on a Ray cluster: actors with the model pinned to GPUs, analyses on CPUs, probes on either.

Weights never pass through Ray's object store: an actor commits a shard to the run folder,
and only then is a task submitted that reads it from there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any
from uuid import uuid4

from attnray.config import ExecutorConfig
from attnray.errors import Damaged, IncompleteRun, InputError, describe, ends_all
from attnray.executors.connection import ray
from attnray.executors.likeness import Likeness
from attnray.executors.nodes import end_task
from attnray.executors.pulse import ENDED, Pulse, gone
from attnray.executors.schedule import Assigned, Flight, Schedule
from attnray.executors.todo import Todo
from attnray.executors.work import LOADING, Late, Outcome, Reached, extractors
from attnray.executors.worker import Extractor, Passed, import_analysis, run_alike
from attnray.stages.tasks import ExtractTask, ProbeTask

#: Shards given to an actor at a time: the next one waits there while one is worked on.
IN_FLIGHT = 2
#: How often it is looked how far all is, and whether more is planned.
LOOK_SECONDS, PLAN_SECONDS = 1, 0.1
#: The group of threads in which an actor answers while it works.
HEALTH = "health"


class Running:
    """What is left of runs, on a cluster."""

    def __init__(
        self,
        config: ExecutorConfig,
        todos: Sequence[Todo],
        pulse: Pulse,
        likeness: Likeness | None,
        reached: Reached,
    ) -> None:
        self._config = config
        self._pulse = pulse
        #: What workers must have as well, where they may be on other machines.
        self._likeness = likeness
        #: Tells its tasks from those of other jobs.
        self._job = uuid4().hex
        on_device = [todo for todo in todos if todo.model.device != "cpu" and todo.needs_device]
        #: The GPUs of an extractor or a probe; none where only analyses are left.
        self._gpus = (config.gpus_per_extractor or 1) if on_device else 0
        pulse.check_place(config.cpus_per_extractor, self._gpus)
        self._state = Schedule(todos, config.deadline)
        #: Questions to actors whether they are alive, and those that have answered.
        self._asked: dict[Any, Any] = {}
        self._alive: set[Any] = set()
        #: What actors answered at last, and whether anything has ended yet.
        self._passed: dict[Any, Passed] = {}
        self._moved = False
        self._reached = reached
        self._stillborn = 0
        self._check_analyses()

    def events(self) -> Iterator[Outcome | Late]:
        """Do everything, and tell of it."""
        state, looked = self._state, time.monotonic()
        self._submit()
        self._reach()
        while not all(todo.finished for todo in state.todos):
            if state.flying:
                seconds = PLAN_SECONDS if state.grows else LOOK_SECONDS
                for reference in self._pulse.wait(list(state.flying), seconds):
                    yield from self._collect(reference)
            else:
                state.wait()
            state.look()
            self._submit()
            if (now := time.monotonic()) > looked + LOOK_SECONDS:
                looked = now
                self._listen(now)
                yield from state.late(now)
                yield from state.silent(now)
                yield from self._give_up(now)

    def _reach(self) -> None:
        """Tell how far all is, as actors answered at last."""
        passed = sum(sum(self._passed.get(actor, {}).values()) for actor in self._state.actors)
        moved = passed or self._moved or not self._state.actors
        waiting = LOADING if self._alive else "starting an extractor"
        self._reached.passed, self._reached.doing = passed, "" if moved else waiting

    def _listen(self, now: float) -> None:
        """Ask every actor whether it is alive, unless it has been asked and has not answered."""
        if self._asked:
            for reference in self._pulse.wait(list(self._asked), 0):
                actor = self._asked.pop(reference)
                with suppress(ray.exceptions.RayError):
                    answer: Passed = ray.get(reference)
                    places = self._state.places(actor)
                    self._passed[actor] = {each: answer.get(each, 0) for each in places}
                    self._state.hear(actor, now)
                    self._alive.add(actor)
                    self._stillborn = 0
        for actor in self._state.actors.keys() - set(self._asked.values()):
            self._asked[actor.answer.options(concurrency_group=HEALTH).remote()] = actor
        self._reach()

    def _give_up(self, now: float) -> Iterator[Outcome]:
        """Wait no longer for what takes far too long; actors that hang are ended."""
        for reference, seconds in self._state.overdue(now):
            flight = self._state.drop(reference, now)
            if flight.actor is not None:
                ray.kill(flight.actor)
            else:
                end_task(self._pulse, self._named(flight.assigned, flight.place))
            yield from self._taken_in(self._lost(flight, f"no end after {seconds:.0f} s"))

    def _check_analyses(self) -> None:
        """Refuse extractors that leave no CPU for the analyses that they wait for."""
        if all(todo.run.config.store.keep for todo in self._state.todos):
            return
        taken = self._extractors() * self._config.cpus_per_extractor
        have = self._pulse.resources["CPU"]
        if taken + 1 > have:
            raise InputError(
                f"the extractors ask for {taken:g} of {have:g} CPUs, but with "
                "store.keep=false one is to be left for analyses: lower executor.extractors"
            )

    def _extractors(self) -> int:
        """How many actors: as configured, else one a GPU share, or half of the CPUs.

        No more than have a minute's work each: it takes long to start one. A CPU is left for
        analyses, which could not start before the last actor has ended.
        """
        flop = sum(todo.flop for todo in self._state.todos)
        return extractors(self._config, self._pulse.resources, self._gpus, flop)

    @property
    def _analysers(self) -> int:
        """How many tasks that need no actor may be in flight."""
        return self._config.analysers or max(1, int(self._pulse.resources["CPU"]))

    def _submit(self) -> None:
        """Give every actor its tasks, and start as many others as may be in flight."""
        state = self._state
        if state.grows and not state.actors:
            self._prepare()
        while self._extracts and len(state.actors) < self._extractors():
            actor = self._new_actor()
            state.actors[actor] = None
            self._give(actor)
        for _ in range(IN_FLIGHT):
            for actor in state.actors:
                if state.load(actor) < IN_FLIGHT and self._extracts:
                    self._give(actor)
        for _ in range(self._analysers - state.free_flying):
            assigned = state.free_task()
            if assigned is None:
                return
            place = state.free_place
            state.fly(self._begun(assigned, place), assigned, None, time.monotonic(), place)

    @property
    def _extracts(self) -> bool:
        """Whether a shard is to be extracted now: what passes the disk must not fill it."""
        return self._state.passing < 2 * self._analysers and self._state.has_model_task

    def _prepare(self) -> None:
        """While the first shards are planned, an actor and a worker import what they need."""
        first = self._state.todos[0]
        actor = self._new_actor()
        self._state.actors[actor] = None
        actor.load.remote(first.model)
        if not first.run.fused:
            ray.remote(import_analysis).options(num_cpus=1).remote()

    def _give(self, actor: Any) -> None:
        assigned = self._state.model_task(actor)
        model = self._state.todos[assigned.todo].model
        reference = actor.run.remote(model, assigned.task)
        self._state.fly(reference, assigned, actor, time.monotonic())

    def _new_actor(self) -> Any:
        options = {
            "num_cpus": self._config.cpus_per_extractor,
            "num_gpus": self._gpus,
            "max_concurrency": IN_FLIGHT,
        }
        # (Ray takes groups in a decoration alone.)
        decorated: Any = ray.remote(concurrency_groups={HEALTH: 1})  # type: ignore[call-overload]
        return decorated(Extractor).options(**options).remote(self._likeness)

    @cached_property
    def _free(self) -> Any:
        return ray.remote(run_alike)

    def _begun(self, assigned: Assigned, place: int) -> Any:
        """Begin a task that is bound to no actor."""
        gpus = self._gpus if isinstance(assigned.task, ProbeTask) else 0
        options = {"num_cpus": 1, "num_gpus": gpus, "max_retries": 0}  # it goes back in line here
        task = self._free.options(name=self._named(assigned, place), **options)
        return task.remote(self._likeness, assigned.task)

    def _named(self, assigned: Assigned, place: int) -> str:
        """What a task is called that is bound to no actor: its process is found by it.

        (Ray counts tasks by their names: there are to be few of these.)
        """
        return f"{assigned.task.stage} {place} of {self._job}"

    def _collect(self, reference: Any) -> Iterator[Outcome]:
        """Take in one finished task, and what follows from it."""
        flight, self._moved = self._state.land(reference, time.monotonic()), True
        if isinstance(flight.assigned.task, ExtractTask):
            self._passed.get(flight.actor, {}).pop(flight.assigned.task.place, None)
        self._reach()
        yield from self._taken_in(self._outcome(reference, flight))
        self._release()

    def _taken_in(self, outcome: Outcome | None) -> Iterator[Outcome]:
        """Tell of a task that ended; None where it goes back in line."""
        if outcome is not None and not self._state.todos[outcome.todo].mends(outcome):
            self._state.todos[outcome.todo].ended(outcome)
            yield outcome

    def _outcome(self, reference: Any, flight: Flight) -> Outcome | None:
        """How a finished task ended; None where it goes back in line."""
        todo, task = flight.assigned.todo, flight.assigned.task
        try:
            return Outcome(todo, task, took=ray.get(reference))
        except ray.exceptions.RayTaskError as error:
            refused = ends_all(error.cause)
            damaged = error.cause if isinstance(error.cause, Damaged) else None
            return Outcome(todo, task, describe(error.cause), refused, damaged)
        except ray.exceptions.LocalRayletDiedError as error:
            raise gone(ENDED) from error
        except ray.exceptions.RayError as error:
            self._pulse.look()
            return self._lost(flight, describe(error))

    def _lost(self, flight: Flight, how: str) -> Outcome | None:
        """A task whose worker was lost goes back in line, a bounded number of times."""
        if flight.actor in self._state.actors and flight.actor not in self._alive:
            self._check_born(how)
        times, assigned = self._state.lose(flight), flight.assigned
        todo = self._state.todos[assigned.todo]
        if times > self._config.retries or todo.refused:
            lost = f"its worker was lost {times} times, at last by {how}"
            return Outcome(assigned.todo, assigned.task, lost)
        todo.again(assigned.task)
        return None

    def _check_born(self, how: str) -> None:
        """An extractor has ended that never answered: that may be so of all there will be."""
        self._stillborn += 1
        if self._stillborn > self._config.retries * self._extractors():
            raise IncompleteRun(f"no extractor starts, {self._stillborn} ended at once: {how}")

    def _release(self) -> None:
        """End the actors that have nothing left to do: their CPUs go to the analyses."""
        if self._state.has_model_task or self._state.grows:
            return
        for actor in [actor for actor in self._state.actors if not self._state.load(actor)]:
            del self._state.actors[actor]
            ray.kill(actor)
