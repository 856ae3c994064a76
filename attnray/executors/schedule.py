"""Who does which task next: queues by model, and actors that keep theirs while it has work."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attnray.executors.work import ModelSettings, Work
from attnray.stages.tasks import Task


@dataclass(frozen=True)
class Assigned:
    """A task, and the place of the run it belongs to among the works."""

    work: int
    task: Task

    @property
    def key(self) -> tuple[int, str, str]:
        """What tells it from every other task."""
        return self.work, self.task.stage, self.task.name


@dataclass
class Flight:
    """A task on its way: on which actor, None where it needs none."""

    assigned: Assigned
    actor: Any = None


class Schedule:
    """Where an executor stands.

    Tasks on a model wait in a queue a model, `waiting`; runs of one model share it. `ready`
    has what needs no model, `actors` those alive, each with the model it was last given.
    """

    def __init__(self, works: Sequence[Work]) -> None:
        self.works = works
        models: list[ModelSettings] = []
        for work in works:
            models += [] if work.model in models else [work.model]
        self._model = [models.index(work.model) for work in works]
        self.waiting: list[deque[Assigned]] = [deque() for _ in models]
        self.ready: deque[Assigned] = deque()
        self._later: dict[int, list[Assigned]] = {}
        self._on_model: Counter[int] = Counter()
        for number, work in enumerate(works):
            for task in work.on_model():
                self.wait(Assigned(number, task))
            self.ready += [Assigned(number, task) for task in work.ready()]
            self._later[number] = [Assigned(number, task) for task in work.probe]
            self._release_probes(number)
        self.actors: dict[Any, int | None] = {}
        self.flying: dict[Any, Flight] = {}
        self.losses: Counter[tuple[int, str, str]] = Counter()
        self.refused: set[int] = set()

    def wait(self, assigned: Assigned) -> None:
        """Put a task in the queue of its model."""
        self.waiting[self._model[assigned.work]].append(assigned)
        self._on_model[assigned.work] += 1

    def next_for(self, actor: Any) -> Assigned:
        """A task of the model that an actor has, else of the one that fewest actors have."""
        model = self.actors[actor]
        if model is None or not self.waiting[model]:
            having = Counter(self.actors.values())
            filled = [number for number, queue in enumerate(self.waiting) if queue]
            model = min(filled, key=lambda number: having[number])
        self.actors[actor] = model
        return self.waiting[model].popleft()

    def ended(self, assigned: Assigned) -> None:
        """A task on a model has ended for good, or will be put back in line."""
        self._on_model[assigned.work] -= 1
        self._release_probes(assigned.work)

    def refuse(self, work: int) -> None:
        """Forget what is left of a run."""
        self.refused.add(work)
        for number, queue in enumerate(self.waiting):
            self.waiting[number] = deque(each for each in queue if each.work != work)
        self.ready = deque(each for each in self.ready if each.work != work)
        self._later[work] = []

    def load(self, actor: Any) -> int:
        """How many tasks an actor has."""
        return sum(flight.actor == actor for flight in self.flying.values())

    def _release_probes(self, work: int) -> None:
        """Probes are trained once nothing of their run is left to do on the model."""
        if not self._on_model[work]:
            self.ready += self._later[work]
            self._later[work] = []
