"""Process: everything between the plan and the tables, of one run or of many, in one queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from attnray.errors import IncompleteRun, InputError
from attnray.executors.progress import Progress
from attnray.executors.work import ModelSettings, Outcome, Work, make_executor
from attnray.metrics.base import Metric
from attnray.metrics.registry import METRICS, PROBES
from attnray.stages.tasks import AnalyseTask, DifferentiateTask, ExtractTask, ProbeTask
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
    """Process runs in one queue, on the executor of the first; gives each as its last task ends.

    Args:
        runs: planned runs.
        title: what the progress is called.
        wanted: which kinds of work.

    Raises:
        IncompleteRun: what is wanted needs work that is neither done nor wanted.
    """
    owners = [(run, each) for run in runs for each in run.with_twin]
    works = [work_of(each, wanted) for _, each in owners]
    following = {id(run): _Following(run) for run in runs}
    for (run, _), work in zip(owners, works, strict=True):
        following[id(run)].left += len(work)
    yield from (each.result() for each in following.values() if not each.left)
    sizes = [dict(_sizes(each)) for _, each in owners]
    with Progress(title, works, sizes) as progress:
        for outcome in make_executor(runs[0].config.executor).run(works):
            progress.advance(outcome)
            run, owner = owners[outcome.work]
            if following[id(run)].ended_by(outcome, owner.model, works[outcome.work]):
                yield following[id(run)].result()


@dataclass
class _Following:
    """How many tasks are left of a run and its twin, and what failed."""

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
        message = f"{path}: {count} tasks failed: {'; '.join(sorted(self.failures))}. "
        return Processed(self.run, IncompleteRun(f"{message}The same command tries them again"))


def work_of(run: Run, wanted: frozenset[str]) -> Work:
    """The tasks that have no marker yet, or one of another fingerprint."""
    extractions, analyses = _extractions(run), _analyses(run)
    if extractions and EXTRACT not in wanted:
        shards = ", ".join(f"{task.shard:05}" for task in extractions)
        raise IncompleteRun(f"{run.folder.path}: not extracted yet: shards {shards}")
    return Work(
        model=_settings(run),
        extract=extractions,
        differentiate=_differentiations(run) if EXTRACT in wanted else [],
        analyse=analyses if ANALYSE in wanted else {},
        probe=_probes(run) if PROBE in wanted else [],
    )


def _extractions(run: Run) -> list[ExtractTask]:
    """What has to pass through the model: to be stored, or to be analysed as it does."""
    fingerprints = {shard: run.manifest.attention_fingerprint(shard) for shard in run.stored_shards}
    raw = {shard for shard, each in fingerprints.items() if not run.folder.extracted(shard, each)}
    lacking = _lacking(run) if run.fused else {}
    return [
        ExtractTask(
            run.folder,
            shard,
            run.manifest.heads,
            run.store if shard in raw else None,
            fingerprints.get(shard, ""),
            *lacking.get(shard, ((), ())),
            run.config.cases,
        )
        for shard in sorted(raw | lacking.keys())
    ]


def _settings(run: Run) -> ModelSettings:
    config, identity = run.config, run.manifest.identity
    threads = config.executor.threads_per_extractor
    return ModelSettings(config.model, config.seed, identity["model"], identity["device"], threads)


def _unfinished(run: Run, made_of: str) -> Iterator[tuple[Metric, int]]:
    """The metrics made of something, each with the shards it still has to measure."""
    for name in run.metrics:
        if METRICS[name].made_of == made_of:
            yield from run.unfinished(name)


def _differentiations(run: Run) -> list[DifferentiateTask]:
    return [
        DifferentiateTask(run.folder, shard, metric, run.partial_fingerprint(metric, shard))
        for metric, shard in _unfinished(run, "gradients")
    ]


def _analyses(run: Run) -> dict[int, AnalyseTask]:
    """An analysis for each shard whose attention is stored to be analysed."""
    if run.fused:
        return {}
    return {
        shard: AnalyseTask(run.folder, shard, *lacking, run.config.cases)
        for shard, lacking in sorted(_lacking(run).items())
    }


def _lacking(run: Run) -> dict[int, tuple[tuple[Metric, ...], tuple[str, ...]]]:
    """The metrics of attention that each shard still needs, and their fingerprints."""
    by_shard: dict[int, list[Metric]] = {}
    for metric, shard in _unfinished(run, "attention"):
        by_shard.setdefault(shard, []).append(metric)
    return {
        shard: (tuple(metrics), tuple(run.partial_fingerprint(metric, shard) for metric in metrics))
        for shard, metrics in by_shard.items()
    }


def _probes(run: Run) -> list[ProbeTask]:
    """The probes that are not scored yet."""
    config, device = run.config, str(run.manifest.identity["device"])
    return [
        ProbeTask(run.folder, trial, config.probe, config.model, config.seed, device)
        for trial in run.trials
        if not run.folder.done(PROBES, trial.number, trial.fingerprint)
    ]


def _sizes(run: Run) -> Iterator[tuple[int, int]]:
    """Each shard with its examples, for the progress bar."""
    for examples in run.manifest.sets:
        yield from zip(examples.shards, examples.sizes, strict=True)
    for sample in run.manifest.samples.values():
        yield sample, run.config.store.sample
