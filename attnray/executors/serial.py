"""The serial executor: one process, one task after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from attnray.config import ExecutorConfig
from attnray.errors import InputError, describe
from attnray.executors.work import Outcome, Work, local_device
from attnray.executors.worker import ModelWorker, run_free
from attnray.stages.tasks import ExtractTask, Task

T = TypeVar("T")
R = TypeVar("R")


class SerialExecutor:
    """Extracts a shard, analyses it, and goes on to the next."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config

    def device(self) -> str:
        """See `Executor.device`."""
        return local_device(self._config)

    def spread(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        """See `Executor.spread`."""
        return map(function, items)

    def run(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """See `Executor.run`."""
        worker = ModelWorker()
        for number, work in enumerate(works):
            for outcome in _one(number, work, worker):
                yield outcome
                if outcome.refused:
                    break


def _one(number: int, work: Work, worker: ModelWorker) -> Iterator[Outcome]:
    """The work of one run, task after task."""
    for analysis in work.ready():
        yield _attempt(number, analysis, partial(run_free, analysis))
    for task in work.on_model():
        outcome = _attempt(number, task, partial(worker.run, work.model, task))
        yield outcome
        if isinstance(task, ExtractTask) and task.shard in work.analyse and not outcome.error:
            following = work.analyse[task.shard]
            yield _attempt(number, following, partial(run_free, following))
    for each in work.probe:
        yield _attempt(number, each, partial(run_free, each))


def _attempt(number: int, task: Task, run: Callable[[], None]) -> Outcome:
    try:
        run()
    except InputError as error:
        return Outcome(number, task, describe(error), error)
    except Exception as error:
        return Outcome(number, task, describe(error))
    return Outcome(number, task)
