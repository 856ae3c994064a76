"""The serial executor: one process, one shard after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from attnray.config import ExecutorConfig
from attnray.errors import InputError
from attnray.pipeline.analyse import AnalyseTask, analyse
from attnray.pipeline.executor import Outcome, Work, describe, local_device
from attnray.pipeline.extract import Extractor


class SerialExecutor:
    """Extracts a shard, analyses it, and goes on to the next."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config

    def device(self) -> str:
        """See `Executor.device`."""
        return local_device(self._config)

    def run(self, work: Work) -> Iterator[Outcome]:
        """See `Executor.run`."""
        for task in work.ready():
            yield _analysed(task)
        if not work.extract:
            return
        extractor = Extractor(work.model)
        for extraction in work.extract:
            extract = partial(extractor.extract, extraction)
            outcome = _attempt("extract", extraction.shard, extract)
            yield outcome
            analysis = work.analyse.get(extraction.shard)
            if analysis and not outcome.error:
                yield _analysed(analysis)


def _analysed(task: AnalyseTask) -> Outcome:
    return _attempt("analyse", task.shard, partial(analyse, task))


def _attempt(stage: str, shard: int, piece: Callable[[], None]) -> Outcome:
    try:
        piece()
    except InputError:
        raise
    except Exception as error:
        return Outcome(stage, shard, describe(error))
    return Outcome(stage, shard)
