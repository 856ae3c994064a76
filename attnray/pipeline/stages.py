"""The stages of a run, each on a run folder, and the main job that is all of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

from attnray.config import Config, CorpusConfig, ExecutorConfig
from attnray.corpus.addresses import is_address
from attnray.errors import IncompleteRun, InputError
from attnray.metrics.base import AttentionMetric, Metric
from attnray.metrics.registry import PROBES, roles_of
from attnray.model.source import Checkpoint, locate
from attnray.pipeline import extract as extraction
from attnray.pipeline.analyse import AnalyseTask
from attnray.pipeline.differentiate import METRIC as GRADIENTS
from attnray.pipeline.differentiate import DifferentiateTask
from attnray.pipeline.executor import Executor, Work
from attnray.pipeline.extract import ExtractTask
from attnray.pipeline.manifest import Manifest, identity, refuse_other
from attnray.pipeline.probing import ProbeTask
from attnray.pipeline.progress import Progress
from attnray.pipeline.run import Run
from attnray.pipeline.worker import ModelSettings
from attnray.store.folder import RunFolder, fingerprint

#: Where the run of a control lies in the folder of the run it belongs to.
CONTROLS = "controls"


def plan(config: Config) -> Run:
    """Plan a run and its controls, or find the plan that its folder has.

    Raises:
        InputError: the configuration or an input cannot be used, or the folder holds
            another run.
    """
    run = _plan(_absolute(config))
    return replace(run, twin=_plan(_twin(run))) if config.controls else run


def existing(folder: RunFolder, config: Config, manifest: Manifest) -> Run:
    """A planned run with a configuration that may say more than its plan.

    Raises:
        InputError: the controls it asks for are not planned.
    """
    run = Run(folder, config, manifest)
    if not config.controls:
        return run
    twin = _twin(run)
    twin_folder = RunFolder(run_folder(str(twin.run_dir)))
    planned = Manifest.read(twin_folder)
    if planned is None:
        raise InputError(
            f"{folder.path} has no plan for controls={config.controls}: run jobs/run.py or "
            "jobs/plan.py with it first"
        )
    return replace(run, twin=Run(twin_folder, twin, planned))


def _twin(run: Run) -> Config:
    """The same run with new weights."""
    control = run.config.controls
    return replace(
        run.config,
        model=replace(run.config.model, random_init=True),
        run_dir=str(run.folder.path / CONTROLS / str(control)),
        controls=None,
    )


def _plan(config: Config) -> Run:
    from attnray.model.encoder import check_device, longest_input, read_config
    from attnray.pipeline.plan import Planner

    checkpoint = locate(config.model, config.seed)
    longest = longest_input(read_config(checkpoint))
    device = make_executor(config.executor).device()
    check_device(checkpoint, device)
    now = identity(config, checkpoint, device)
    folder = RunFolder(_folder(config, checkpoint, now))
    manifest = Manifest.read(folder)
    if manifest is None:
        manifest = Manifest(now, {}, [], {}, [])
    roles = dict.fromkeys(role for metric in config.metrics for role in roles_of(metric))
    _refuse_the_same(now["corpora"], roles)
    refuse_other(folder, manifest.identity, now, manifest.roles.keys() & roles)
    planned = {role: manifest.identity["corpora"][role] for role in manifest.roles}
    now["corpora"] |= planned
    without = _without(config, checkpoint)
    manifest = replace(manifest, identity=now, config=asdict(config), without=without)
    planner = Planner(folder, config, checkpoint, longest)
    return Run(folder, config, planner.plan(manifest, roles))


def _refuse_the_same(corpora: dict[str, dict[str, object]], roles: Collection[str]) -> None:
    """Refuse probes that would be scored on what they were trained on."""
    if "train" in roles and corpora["train"]["sha256"] == corpora["dev"]["sha256"]:
        raise InputError("corpora.train and corpora.dev have the same contents: give two corpora")


def _without(config: Config, checkpoint: Checkpoint) -> dict[str, str]:
    """The metrics that the model cannot have, and what it lacks for them."""
    from attnray.model.masked_lm import has_head

    if GRADIENTS not in config.metrics or has_head(checkpoint):
        return {}
    return {GRADIENTS: "the checkpoint has no masked-LM head"}


#: What there is to do between the plan and the tables.
EXTRACT, ANALYSE, PROBE = "extract", "analyse", "probe"
WHOLE = frozenset({EXTRACT, ANALYSE, PROBE})


def process(run: Run, wanted: frozenset[str] = WHOLE) -> None:
    """Extract, analyse and probe what is not done yet, of the run and its twin.

    Raises:
        IncompleteRun: shards failed; names each with the reason.
    """
    failures = [each for member in run.members for each in _process(member, wanted)]
    if failures:
        raise IncompleteRun(
            f"{run.folder.path}: {len(failures)} pieces failed: {'; '.join(sorted(failures))}. "
            "The same command tries them again"
        )


def _process(run: Run, wanted: frozenset[str]) -> list[str]:
    """Do the work of one model; gives what failed."""
    work = _work(run, wanted)
    failures = []
    with Progress(run.model, work, dict(_sizes(run))) as progress:
        for outcome in make_executor(run.config.executor).run(work):
            progress.advance(outcome)
            if outcome.error:
                where = f"{run.model}, {outcome.task.name} ({outcome.task.stage})"
                failures.append(f"{where}: {outcome.error}")
    return failures


def make_executor(config: ExecutorConfig) -> Executor:
    """The configured executor; Ray is imported only where it is used."""
    if config.name == "serial":
        from attnray.pipeline.serial import SerialExecutor

        return SerialExecutor(config)
    from attnray.pipeline.on_ray import RayExecutor

    return RayExecutor(config)


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
    whole = [p if is_address(p) else str(Path(p).absolute()) for p in paths]
    return replace(corpus, path=whole)
