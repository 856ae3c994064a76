"""The serial executor: one process, one piece of work after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from attnray.config import ExecutorConfig
from attnray.errors import InputError
from attnray.pipeline.analyse import analyse
from attnray.pipeline.executor import Outcome, Task, Work, describe, local_device
from attnray.pipeline.extract import ExtractTask
from attnray.pipeline.probing import probe
from attnray.pipeline.worker import ModelWorker

AnyTask = TypeVar("AnyTask", bound=Task)


class SerialExecutor:
    """Extracts a shard, analyses it, and goes on to the next."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config

    def device(self) -> str:
        """See `Executor.device`."""
        return local_device(self._config)

    def run(self, work: Work) -> Iterator[Outcome]:
        """See `Executor.run`."""
        for analysis in work.ready():
            yield _attempt(analyse, analysis)
        worker = ModelWorker(work.model)
        for task in work.on_model():
            outcome = _attempt(worker.run, task)
            yield outcome
            if isinstance(task, ExtractTask) and task.shard in work.analyse and not outcome.error:
                yield _attempt(analyse, work.analyse[task.shard])
        for each in work.probe:
            yield _attempt(probe, each)


def _attempt(run: Callable[[AnyTask], None], task: AnyTask) -> Outcome:
    try:
        run(task)
    except InputError:
        raise
    except Exception as error:
        return Outcome(task, describe(error))
    return Outcome(task)
