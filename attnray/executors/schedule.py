"""Who does which task next: actors keep their model while it has work, and late tasks are told."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Any

from attnray.executors.todo import Todo
from attnray.executors.work import Late, ModelSettings
from attnray.stages.tasks import ExtractTask, Task

#: A task is late once it takes so many times what its stage's latest took, and so many seconds.
LATE, LATE_SECONDS = 4, 60
#: So many of a stage's latest tasks are looked at.
LATEST = 100
#: An actor that answered and then is silent for so many seconds is told of.
SILENT_SECONDS = 10
#: A task is given up after so many times what its stage's latest took, and so many seconds; after
#: so many where none has ended yet.
GIVE_UP, GIVE_UP_SECONDS, FIRST_SECONDS = 30, 600, 3600


@dataclass(frozen=True)
class Assigned:
    """A task, and the place of the run it belongs to among those that there are."""

    todo: int
    task: Task

    @property
    def key(self) -> tuple[int, str, str]:
        """What tells it from every other task."""
        return self.todo, self.task.stage, self.task.name


@dataclass
class Flight:
    """A task on its way: on which actor, None where it needs none.

    `began` is None as long as it waits for the actor's task before it; `place` tells one that needs
    no actor from the others on their way.
    """

    assigned: Assigned
    actor: Any
    began: float | None
    place: int = 0
    told: bool = False


class Schedule:
    """Where an executor stands with what is left of runs.

    `actors` has those alive, each with the model it was last given; `flying` what is on its way.
    Runs of one model share its actors.

    Args:
        todos: what is left.
        deadline: the seconds after which a task is given up; None for what suits its stage.
    """

    def __init__(self, todos: Sequence[Todo], deadline: float | None = None) -> None:
        self.todos = todos
        self._deadline = deadline
        self._models: list[ModelSettings] = []
        for todo in todos:
            self._models += [] if todo.model in self._models else [todo.model]
        self._of_model: list[list[int]] = [[] for _ in self._models]
        for number, todo in enumerate(todos):
            self._of_model[self._models.index(todo.model)].append(number)
        self.actors: dict[Any, int | None] = {}
        self.flying: dict[Any, Flight] = {}
        self._on: defaultdict[Any, list[Flight]] = defaultdict(list)
        self._losses: Counter[tuple[int, str, str]] = Counter()
        self._took: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=LATEST))
        #: When the latest task ended, and when each actor answered, in seconds.
        self._landed = 0.0
        self._heard: dict[Any, float] = {}

    @property
    def has_model_task(self) -> bool:
        """Whether a task on a model waits to be given to an actor."""
        return any(todo.has_model_task for todo in self.todos)

    @property
    def passing(self) -> int:
        """How many shards have attention that goes once they are measured."""
        return sum(todo.passing for todo in self.todos)

    @property
    def grows(self) -> bool:
        """Whether a plan is not whole yet."""
        return any(todo.grows for todo in self.todos)

    def look(self) -> None:
        """Take in what more is planned."""
        for todo in self.todos:
            todo.look()

    def wait(self) -> None:
        """Take in what more is planned, once there is something."""
        for todo in self.todos:
            todo.wait()

    def model_task(self, actor: Any) -> Assigned:
        """Takes a task of the model that an actor has, else of the one that fewest actors have."""
        model = self.actors[actor]
        filled = [number for number in range(len(self._models)) if self._waiting(number)]
        if model not in filled:
            having = Counter(self.actors.values())
            model = min(filled, key=lambda number: having[number])
        self.actors[actor] = model
        todo = self._waiting(model)[0]
        return Assigned(todo, self.todos[todo].model_task())

    def free_task(self) -> Assigned | None:
        """Takes a task that needs no actor, None where there is none now."""
        for number, todo in enumerate(self.todos):
            if todo.has_free_task:
                return Assigned(number, todo.free_task())
        return None

    @property
    def free_flying(self) -> int:
        """How many tasks are on their way that need no actor."""
        return len(self.flying) - sum(map(len, self._on.values()))

    @property
    def free_place(self) -> int:
        """The least place that no task has."""
        taken = {flight.place for flight in self.flying.values() if flight.actor is None}
        return next(place for place in count() if place not in taken)

    def load(self, actor: Any) -> int:
        """How many tasks an actor has."""
        return len(self._on[actor])

    def places(self, actor: Any) -> list[tuple[str, int]]:
        """The shards that an actor has to extract."""
        tasks = [flight.assigned.task for flight in self._on[actor]]
        return [task.place for task in tasks if isinstance(task, ExtractTask)]

    def fly(
        self, reference: Any, assigned: Assigned, actor: Any, now: float, place: int = 0
    ) -> None:
        """A task is on its way."""
        waits = actor is not None and self.load(actor)
        self.flying[reference] = Flight(assigned, actor, None if waits else now, place)
        if actor is not None:
            self._on[actor].append(self.flying[reference])

    def land(self, reference: Any, now: float) -> Flight:
        """A task has ended."""
        flight = self.drop(reference, now)
        if flight.began is not None:
            self._took[flight.assigned.task.stage].append(now - flight.began)
        return flight

    def drop(self, reference: Any, now: float) -> Flight:
        """A task is not waited for any longer."""
        flight = self.flying.pop(reference)
        self._landed = now
        if flight.actor is not None:
            self._on[flight.actor].remove(flight)
            for following in self._on[flight.actor]:
                following.began = following.began or now
        return flight

    def lose(self, flight: Flight) -> int:
        """A worker was lost with a task: how often that befell the task after it had begun."""
        self.actors.pop(flight.actor, None)
        self._heard.pop(flight.actor, None)
        self._losses[flight.assigned.key] += flight.began is not None
        return self._losses[flight.assigned.key]

    def hear(self, actor: Any, now: float) -> None:
        """An actor has answered."""
        self._heard[actor] = now

    def silent(self, now: float) -> Iterator[Late]:
        """The tasks of actors that do not answer any longer, each actor once until it does."""
        for actor in [a for a, heard in self._heard.items() if now > heard + SILENT_SECONDS]:
            seconds = now - self._heard.pop(actor)
            for flight in self._on[actor][:1]:
                yield Late(flight.assigned.todo, flight.assigned.task, seconds)

    def overdue(self, now: float) -> list[tuple[Any, float]]:
        """What is to be given up, each with the seconds that it has taken.

        When a task that needs no actor began is not known: it may have waited for a place. One is
        overdue when nothing else ends either.
        """
        found = []
        for reference, flight in self.flying.items():
            if flight.began is not None:
                on_actor = flight.actor is not None
                since = flight.began if on_actor else max(flight.began, self._landed)
                if now - since > self._allowed(flight.assigned.task.stage):
                    found.append((reference, now - since))
        return found

    def _allowed(self, stage: str) -> float:
        if self._deadline is not None:
            return self._deadline
        took = self._took[stage]
        return max(GIVE_UP_SECONDS, GIVE_UP * median(took)) if took else FIRST_SECONDS

    def late(self, now: float) -> Iterator[Late]:
        """The tasks that take far longer than others did, each once."""
        for flight in self.flying.values():
            took = self._took[flight.assigned.task.stage]
            if flight.told or flight.began is None or not took:
                continue
            seconds, usual = now - flight.began, median(took)
            if seconds > max(LATE_SECONDS, LATE * usual):
                flight.told = True
                yield Late(flight.assigned.todo, flight.assigned.task, seconds, usual)

    def _waiting(self, model: int) -> list[int]:
        """The runs of a model that have tasks for an actor."""
        return [number for number in self._of_model[model] if self.todos[number].has_model_task]
