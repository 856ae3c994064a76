"""Process: everything between the plan and the tables, of one run or of many, in one queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from attnray.config import ExecutorConfig
from attnray.errors import IncompleteRun, InputError
from attnray.executors.progress import Progress
from attnray.executors.work import Outcome, Work
from attnray.executors.worker import ModelSettings
from attnray.metrics.base import Metric, ShardMetric
from attnray.metrics.registry import PROBES
from attnray.stages import extract as extraction
from attnray.stages.analyse import AnalyseTask
from attnray.stages.differentiate import METRIC as GRADIENTS
from attnray.stages.differentiate import DifferentiateTask
from attnray.stages.extract import ExtractTask
from attnray.stages.planned import make_executor
from attnray.stages.probe import ProbeTask
from attnray.store.run import Run

#: What there is to do.
EXTRACT, ANALYSE, PROBE = "extract", "analyse", "probe"
WHOLE = frozenset({EXTRACT, ANALYSE, PROBE})


@dataclass(frozen=True)
class Processed:
    """A run of which nothing is left to try, and why it cannot go on, if so."""

    run: Run
    error: InputError | IncompleteRun | None


def process(run: Run, wanted: frozenset[str] = WHOLE) -> None:
    """Extract, analyse and probe what is not done yet, of the run and its twin.

    Raises:
        IncompleteRun: shards failed; names each with the reason.
        InputError: an input cannot be used.
    """
    for processed in process_all([run], run.model, wanted):
        if processed.error:
            raise processed.error


def process_all(
    runs: Sequence[Run], title: str, wanted: frozenset[str] = WHOLE
) -> Iterator[Processed]:
    """Process runs in one queue, on the executor of the first; gives each as its last piece ends.

    Args:
        runs: planned runs.
        title: what the progress is called.
        wanted: which kinds of work.

    Raises:
        IncompleteRun: what is wanted needs work that is neither done nor wanted.
    """
    members = [(run, member) for run in runs for member in run.members]
    works = [_work(member, wanted) for _, member in members]
    yield from _processed(members, works, title, runs[0].config.executor)


def analyse_more(
    todo: Sequence[tuple[Run, Sequence[tuple[ShardMetric, int]]]],
    title: str,
    executor: ExecutorConfig,
) -> None:
    """Analyse shards of extracted runs by further metrics, in one queue, where it is not done yet.

    Args:
        todo: for each run, metrics and shards.
        title: what the progress is called.
        executor: where.

    Raises:
        IncompleteRun: shards failed; names each with the reason.
    """
    lacking = [(run, [p for p in pieces if not run.measured(*p)]) for run, pieces in todo]
    works = [Work(_settings(run), [], analyse=_analyses(run, own)) for run, own in lacking]
    for processed in _processed([(run, run) for run, _ in todo], works, title, executor):
        if processed.error:
            raise processed.error


def _processed(
    members: Sequence[tuple[Run, Run]], works: Sequence[Work], title: str, executor: ExecutorConfig
) -> Iterator[Processed]:
    """Do the works, each of a member of a run; gives each run as its last piece ends."""
    following = {id(run): _Following(run) for run, _ in members}
    for (run, _), work in zip(members, works, strict=True):
        following[id(run)].left += len(work)
    for each in following.values():
        if not each.left:
            yield each.result()
    sizes = [dict(_sizes(member)) for _, member in members]
    with Progress(title, works, sizes) as progress:
        for outcome in make_executor(executor).run(works):
            progress.advance(outcome)
            run, member = members[outcome.work]
            each = following[id(run)]
            if each.ended_by(outcome, member.model, works[outcome.work]):
                yield each.result()


@dataclass
class _Following:
    """How many pieces are left of a run and its twin, and what failed."""

    run: Run
    left: int = 0
    failures: list[str] = field(default_factory=list)
    refused: InputError | None = None

    def ended_by(self, outcome: Outcome, model: str, work: Work) -> bool:
        """Take in an outcome; whether it is the last of the run."""
        if self.refused:
            return False
        self.refused = outcome.refused
        task = outcome.task
        self.left -= 1
        if outcome.error:
            self.failures.append(f"{model}, {task.name} ({task.stage}): {outcome.error}")
            # What was not extracted is not analysed either.
            self.left -= isinstance(task, ExtractTask) and task.shard in work.analyse
        return bool(self.refused) or not self.left

    def result(self) -> Processed:
        """The run, and why it cannot go on."""
        if self.refused or not self.failures:
            return Processed(self.run, self.refused)
        path, count = self.run.folder.path, len(self.failures)
        message = f"{path}: {count} pieces failed: {'; '.join(sorted(self.failures))}. "
        return Processed(self.run, IncompleteRun(f"{message}The same command tries them again"))


def _work(run: Run, wanted: frozenset[str]) -> Work:
    """The pieces that have no marker yet, or one of another fingerprint."""
    todo = _unfinished(run)
    gradients = todo.pop(GRADIENTS, [])
    raw = [shard for shard in run.extracted_shards if not _extracted(run, shard)]
    if raw and EXTRACT not in wanted:
        shards = ", ".join(f"{shard:05}" for shard in raw)
        raise IncompleteRun(f"{run.folder.path}: not extracted yet: shards {shards}")
    pieces = [cast("tuple[ShardMetric, int]", each) for own in todo.values() for each in own]
    return Work(
        model=_settings(run),
        extract=[
            ExtractTask(run.folder, shard, run.manifest.attention_identity(shard), run.config.store)
            for shard in raw
        ],
        differentiate=[
            DifferentiateTask(run.folder, shard, run.partial_identity(metric, shard))
            for metric, shard in gradients
            if EXTRACT in wanted
        ],
        analyse=_analyses(run, pieces) if ANALYSE in wanted else {},
        probe=_probes(run) if PROBE in wanted else [],
    )


def _settings(run: Run) -> ModelSettings:
    config, identity = run.config, run.manifest.identity
    threads = config.executor.threads_per_extractor
    return ModelSettings(config.model, config.seed, identity["model"], identity["device"], threads)


def _probes(run: Run) -> list[ProbeTask]:
    """The probes that are not scored yet."""
    done = run.folder.done
    return [task for task in run.probes if not done(PROBES, task.number, task.identity)]


def _unfinished(run: Run) -> dict[str, list[tuple[Metric, int]]]:
    """The shards that each metric still has to measure."""
    return {metric: list(run.unfinished(metric)) for metric in run.metrics}


def _analyses(run: Run, pieces: Iterable[tuple[ShardMetric, int]]) -> dict[int, AnalyseTask]:
    """An analysis for each shard, by all the metrics it still needs."""
    by_shard: dict[int, list[tuple[ShardMetric, str]]] = {}
    for metric, shard in pieces:
        by_shard.setdefault(shard, []).append((metric, run.partial_identity(metric, shard)))
    return {
        shard: AnalyseTask(run.folder, shard, *zip(*pieces, strict=True))
        for shard, pieces in sorted(by_shard.items())
    }


def _extracted(run: Run, shard: int) -> bool:
    return run.folder.done(extraction.STAGE, shard, run.manifest.attention_identity(shard))


def _sizes(run: Run) -> Iterable[tuple[int, int]]:
    """Each shard with its share of its set's examples, for the progress bar."""
    for examples in run.manifest.sets:
        for shard in examples.shards:
            yield shard, max(1, examples.counts["examples"] // len(examples.shards))
