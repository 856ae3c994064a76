"""The stages of a run, each on a run folder, and the main job that is all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from attnray.config import Config, CorpusConfig, ExecutorConfig
from attnray.corpus.readers import PACKAGE_SCHEME
from attnray.errors import IncompleteRun, InputError
from attnray.metrics.base import Metric
from attnray.metrics.registry import METRICS
from attnray.model.source import Checkpoint, locate
from attnray.pipeline import extract as extraction
from attnray.pipeline.analyse import AnalyseTask, stage
from attnray.pipeline.executor import Executor, Work
from attnray.pipeline.extract import ExtractTask, ModelSettings
from attnray.pipeline.manifest import Manifest, identity, refuse_other
from attnray.pipeline.progress import Progress
from attnray.pipeline.reduce import reduce as write_tables
from attnray.store.folder import RunFolder, fingerprint


@dataclass(frozen=True)
class Run:
    """A planned run: its folder, its configuration, its frozen plan."""

    folder: RunFolder
    config: Config
    manifest: Manifest

    @property
    def metrics(self) -> list[Metric]:
        """The configured metrics whose corpus has what they need."""
        return [METRICS[m].make(self.config) for m in self._planned if self.manifest.metrics[m]]

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables the run writes."""
        return (*(table for metric in self.metrics for table in metric.table_names), "corpus")

    @property
    def notes(self) -> list[str]:
        """What the run leaves out, and why."""
        return [
            f"{m} was left out: the corpus has no {METRICS[m].annotation}"
            for m in self._planned
            if not self.manifest.metrics[m]
        ]

    @property
    def _planned(self) -> list[str]:
        lacking = [m for m in self.config.metrics if m not in self.manifest.metrics]
        if lacking:
            raise InputError(
                f"{self.folder.path} has no plan for {', '.join(lacking)}: run jobs/run.py or "
                "jobs/plan.py with these metrics on it first"
            )
        return self.config.metrics


def plan(config: Config) -> Run:
    """Plan a run, or find the plan that its folder has.

    Raises:
        InputError: the configuration or an input cannot be used, or the folder holds
            another run.
    """
    from attnray.model.encoder import check_device, longest_input, read_config
    from attnray.pipeline.plan import Planner

    config = _absolute(config)
    checkpoint = locate(config.model, config.seed)
    longest = longest_input(read_config(checkpoint))
    device = make_executor(config.executor).device()
    check_device(checkpoint, device)
    now = identity(config, checkpoint, device)
    folder = RunFolder(_folder(config, checkpoint, now))
    manifest = Manifest.read(folder)
    if manifest is None:
        manifest = Manifest(now, {}, [], {}, [])
    refuse_other(folder, manifest.identity, now)
    manifest = replace(manifest, config=asdict(config))
    return Run(folder, config, Planner(folder, config, checkpoint, longest).plan(manifest))


def process(run: Run, extract: bool = True, analyse: bool = True) -> None:
    """Extract and analyse what is not done yet.

    Raises:
        IncompleteRun: shards failed; names each with the reason.
    """
    work = _work(run, extract, analyse)
    failures = []
    with Progress(work, dict(_sizes(run))) as progress:
        for outcome in make_executor(run.config.executor).run(work):
            progress.advance(outcome)
            if outcome.error:
                failures.append(f"shard {outcome.shard:05} ({outcome.stage}): {outcome.error}")
    if failures:
        raise IncompleteRun(
            f"{run.folder.path}: {len(failures)} pieces failed: {'; '.join(sorted(failures))}. "
            "The same command tries them again"
        )


def make_executor(config: ExecutorConfig) -> Executor:
    """The configured executor; Ray is imported only where it is used."""
    if config.name == "serial":
        from attnray.pipeline.serial import SerialExecutor

        return SerialExecutor(config)
    from attnray.pipeline.on_ray import RayExecutor

    return RayExecutor(config)


def reduce(run: Run) -> None:
    """Write the tables; see `attnray.pipeline.reduce`."""
    write_tables(run.folder, run.manifest, run.metrics)


def _work(run: Run, extract: bool, analyse: bool) -> Work:
    """The pieces that have no marker yet, or one of another fingerprint."""
    folder, manifest = run.folder, run.manifest
    todo: dict[int, list[tuple[Metric, str]]] = {}
    for metric in run.metrics:
        examples = manifest.set_of(metric.name)
        for shard in examples.shards if examples else []:
            name = manifest.partial_identity(metric.name, metric.parameters, shard)
            todo.setdefault(shard, [])
            if not folder.done(stage(metric.name), shard, name):
                todo[shard].append((metric, name))
    raw = [shard for shard in sorted(todo) if not _extracted(run, shard)]
    if raw and not extract:
        shards = ", ".join(f"{shard:05}" for shard in raw)
        raise IncompleteRun(f"{folder.path}: not extracted yet: shards {shards}")
    config = run.config
    return Work(
        model=ModelSettings(
            config.model,
            config.seed,
            manifest.identity["model"],
            manifest.identity["device"],
            config.executor.threads_per_extractor,
        ),
        extract=[
            ExtractTask(folder, shard, manifest.attention_identity(shard), config.store)
            for shard in raw
        ],
        analyse={
            shard: AnalyseTask(folder, shard, *zip(*pieces, strict=True))
            for shard, pieces in sorted(todo.items())
            if pieces and analyse
        },
    )


def _extracted(run: Run, shard: int) -> bool:
    return run.folder.done(extraction.STAGE, shard, run.manifest.attention_identity(shard))


def _sizes(run: Run) -> Iterable[tuple[int, int]]:
    """Each shard with its share of its set's examples, for the progress bar."""
    for examples in run.manifest.sets:
        for shard in examples.shards:
            yield shard, max(1, examples.counts["examples"] // len(examples.shards))


def _folder(config: Config, checkpoint: Checkpoint, now: dict[str, object]) -> Path:
    """The configured run folder, or one named after model, corpus and what decides the run."""
    if config.run_dir is None:
        return runs_folder() / f"{checkpoint.name}-{config.corpus.name}-{fingerprint(now)[:8]}"
    return run_folder(config.run_dir)


def run_folder(run_dir: str) -> Path:
    """A given run folder.

    Raises:
        InputError: it is no local folder.
    """
    if "://" in run_dir:
        raise InputError(f"run_dir={run_dir}: only local or mounted folders are supported so far")
    path = Path(run_dir)
    if path.exists() and not path.is_dir():
        raise InputError(f"run_dir={run_dir} is a file: give a folder")
    return path


def runs_folder() -> Path:
    """Where runs without a run_dir lie: `runs/` here, or at home for a submitted job.

    (The working directory of a submitted job is Ray's own and goes with it.)
    """
    submitted = "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
    return Path.home() / "attnray-runs" if submitted else Path("runs")


def _absolute(config: Config) -> Config:
    """The configuration with paths that hold from any folder."""
    model = config.model
    if model.path is not None:
        model = replace(model, path=str(Path(model.path).absolute()))
    own = {
        role: _absolute_corpus(CorpusConfig(**corpus))
        for role, corpus in asdict(config.corpora).items()
        if corpus is not None
    }
    return replace(
        config,
        model=model,
        corpus=_absolute_corpus(config.corpus),
        corpora=replace(config.corpora, **own),
    )


def _absolute_corpus(corpus: CorpusConfig) -> CorpusConfig:
    paths = corpus.path if isinstance(corpus.path, list) else [corpus.path]
    whole = [p if p.startswith(PACKAGE_SCHEME) else str(Path(p).absolute()) for p in paths]
    return replace(corpus, path=whole)
