"""Process: everything between the plan and the tables, of one run or of many, in one queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from attnray.errors import IncompleteRun, InputError
from attnray.metrics.base import AttentionMetric, Metric
from attnray.metrics.registry import PROBES
from attnray.pipeline import extract as extraction
from attnray.pipeline.analyse import AnalyseTask
from attnray.pipeline.differentiate import METRIC as GRADIENTS
from attnray.pipeline.differentiate import DifferentiateTask
from attnray.pipeline.executor import Outcome, Work
from attnray.pipeline.extract import ExtractTask
from attnray.pipeline.probing import ProbeTask
from attnray.pipeline.progress import Progress
from attnray.pipeline.run import Run
from attnray.pipeline.runs import make_executor
from attnray.pipeline.worker import ModelSettings

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
    following = {id(run): _Following(run) for run in runs}
    for (run, _), work in zip(members, works, strict=True):
        following[id(run)].left += len(work)
    for each in following.values():
        if not each.left:
            yield each.result()
    sizes = [dict(_sizes(member)) for _, member in members]
    with Progress(title, works, sizes) as progress:
        for outcome in make_executor(runs[0].config.executor).run(works):
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
    manifest, config = run.manifest, run.config
    return Work(
        model=ModelSettings(
            config.model,
            config.seed,
            manifest.identity["model"],
            manifest.identity["device"],
            config.executor.threads_per_extractor,
        ),
        extract=[
            ExtractTask(run.folder, shard, manifest.attention_identity(shard), config.store)
            for shard in raw
        ],
        differentiate=[
            DifferentiateTask(run.folder, shard, run.partial_identity(metric, shard))
            for metric, shard in gradients
            if EXTRACT in wanted
        ],
        analyse=_analyses(run, todo) if ANALYSE in wanted else {},
        probe=_probes(run) if PROBE in wanted else [],
    )


def _probes(run: Run) -> list[ProbeTask]:
    """The probes that are not scored yet."""
    done = run.folder.done
    return [task for task in run.probes if not done(PROBES, task.number, task.identity)]


def _unfinished(run: Run) -> dict[str, list[tuple[Metric, int]]]:
    """The shards that each metric still has to measure."""
    return {metric: list(run.unfinished(metric)) for metric in run.metrics}


def _analyses(run: Run, todo: dict[str, list[tuple[Metric, int]]]) -> dict[int, AnalyseTask]:
    """An analysis for each shard, by all the metrics it still needs."""
    by_shard: dict[int, list[tuple[AttentionMetric, str]]] = {}
    for metric, shard in (each for pieces in todo.values() for each in pieces):
        piece = (cast(AttentionMetric, metric), run.partial_identity(metric, shard))
        by_shard.setdefault(shard, []).append(piece)
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
