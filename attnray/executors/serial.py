"""The serial executor: one process, one task after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from attnray.config import ExecutorConfig
from attnray.errors import Damaged, describe, ends_all
from attnray.executors.feed import Feed, Pulled
from attnray.executors.todo import Todo
from attnray.executors.work import LOADING, Outcome, Took, local_device
from attnray.executors.worker import ModelWorker, run_free
from attnray.stages.tasks import Task
from attnray.store.run import Run

T = TypeVar("T")
R = TypeVar("R")


class SerialExecutor:
    """Extracts a shard, analyses it, and goes on to the next."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config
        self._worker = ModelWorker()
        self._loading = False

    def device(self) -> str:
        """See `Executor.device`."""
        return local_device(self._config)

    def spread(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        """See `Executor.spread`."""
        return map(function, items)

    def once(self, function: Callable[..., R], *args: object) -> R:
        """See `Executor.once`."""
        return function(*args)

    def extractors(self, device: str, flop: float) -> int:
        """See `Executor.extractors`."""
        return 1

    @property
    def passed(self) -> int:
        """See `Executor.passed`."""
        return sum([*self._worker.passed.values()])

    @property
    def doing(self) -> str:
        """See `Executor.doing`."""
        return LOADING if self._loading and not self._worker.passed else ""

    def feed(self, states: Iterator[Run]) -> Feed:
        """See `Executor.feed`."""
        return Pulled(states)

    def run(self, todos: Sequence[Todo]) -> Iterator[Outcome]:
        """See `Executor.run`."""
        for number, todo in enumerate(todos):
            while not todo.finished:
                if not (todo.has_free_task or todo.has_model_task):
                    todo.wait()
                    continue
                outcome = self._one(number, todo)
                if not todo.mends(outcome):
                    todo.ended(outcome)
                    yield outcome
        self._worker = ModelWorker()  # the model of the other goes

    def _one(self, number: int, todo: Todo) -> Outcome:
        """Do the next task of a run: what was extracted is analysed before the next shard is."""
        if todo.has_free_task:
            free = todo.free_task()
            return _attempt(number, free, partial(run_free, free))
        task = todo.model_task()
        self._loading = not self._worker.ready
        try:
            return _attempt(number, task, partial(self._worker.run, todo.model, task))
        finally:
            self._loading = False


def _attempt(number: int, task: Task, run: Callable[[], Took]) -> Outcome:
    try:
        return Outcome(number, task, took=run())
    except Damaged as error:
        return Outcome(number, task, describe(error), damaged=error)
    except Exception as error:
        return Outcome(number, task, describe(error), ends_all(error))
