"""What each job of jobs/ does, by name.

Executors import torch, which takes seconds: they are imported by the jobs that use a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, fields, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from attnray.called import called
from attnray.cli.checks import check
from attnray.cli.doing import doing
from attnray.config import Config, planned, typed
from attnray.errors import Damaged, InputError
from attnray.metrics.registry import PROBES, known
from attnray.redacted import legible, redacted
from attnray.report.closing import closing_lines, closing_of_comparison
from attnray.stages.planned import Hold, existing, nobody_else, plan, states
from attnray.stages.reduce import reduce, reduce_probes
from attnray.stages.report import REPRODUCTION, report, reported, shown_tables
from attnray.stages.room import check_room
from attnray.store.files import fingerprint
from attnray.store.folder import REPORT, RunFolder, page_of
from attnray.store.manifest import Manifest, refuse_other
from attnray.store.places import matching, run_folder, runs_folder
from attnray.store.run import Run

if TYPE_CHECKING:
    from attnray.executors.work import Executor

T = TypeVar("T")
R = TypeVar("R")
#: What tables and figures are made with, and takes long to import.
AT_THE_END = ("sklearn.manifold", "matplotlib.figure")
#: Settings that cannot change on a run folder: its attention was made with them.
FROZEN = ("model", "corpus", "corpora", "store", "shard", "batch", "max_tokens", "seed")


def _run(config: Config, _: list[str]) -> None:
    print_summary(done(config))


def done(config: Config) -> Run:
    """The run of a configuration, with everything that is to be done of it.

    Raises:
        InputError: the configuration or an input cannot be used.
        IncompleteRun: shards failed; names each with the reason.
    """
    found: set[str] = set()
    while True:
        try:
            with driving() as hold:
                return _done(config, hold)
        except Damaged as damaged:  # it is removed by now: what made it does so again
            if str(damaged) in found:
                raise
            found.add(str(damaged))


def _done(config: Config, hold: Hold) -> Run:
    """A run with everything that is to be done of it."""
    from attnray.executors.process import process, process_growing
    from attnray.executors.work import make_executor

    if config.controls:
        run = _planned(config, hold)
        process(run)
    else:
        executor = make_executor(config.executor)
        run = process_growing(_growing(config, executor, hold), executor)
    finish(run)
    return run


def _growing(config: Config, executor: Executor, hold: Hold) -> Iterator[Run]:
    """The run as its plan grows; where that has a thread, it then imports what comes at the end."""
    found = states(config, executor.device(), spread=executor.spread, hold=hold)
    with doing("looking at model and corpora"):
        first = next(found)
    yield first
    yield from found
    for module in AT_THE_END:
        import_module(module)


def _planned(config: Config, hold: Hold) -> Run:
    from attnray.executors.work import make_executor

    executor = make_executor(config.executor)
    with doing("planning"):
        return plan(config, executor.device(), spread=executor.spread, hold=hold)


@contextmanager
def driving() -> Iterator[Hold]:
    """Gives what holds run folders for the time of a job; a file found damaged is removed.

    Then what made it is not done any more, and is done again by the next start.
    """
    with ExitStack() as held:
        try:
            yield lambda folder: held.enter_context(folder.hold())
        except Damaged as damaged:
            with suppress(OSError):
                RunFolder(run_folder(damaged.run)).remove_damaged(damaged.name)
            raise


def finish(run: Run) -> None:
    """What follows when everything is measured: the tables, the figures and the page."""
    with doing("tables and report"):
        _tabulate(run)
        report(run)


def _tabulate(run: Run) -> None:
    """Write the tables; of a large run the workers of its executor add up what was found."""

    def spread(function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        from attnray.executors.work import make_executor

        return make_executor(run.config.executor).spread(function, items)

    reduce(run, spread)


def _plan(config: Config, _: list[str]) -> None:
    from attnray.cli.forecast import forecast

    with driving() as hold:
        run = _planned(config, hold)
    print(f"{run.folder}: {len(run.manifest.examples)} shards planned")
    _print_notes(run)
    for line in forecast(run):
        print(line, flush=True)
    check_room(run.with_twin)


def _extract(config: Config, overrides: list[str]) -> None:
    from attnray.executors.process import process
    from attnray.executors.todo import EXTRACT

    with driving() as hold:
        process(_existing(config, overrides, hold), frozenset({EXTRACT}))


def _analyse(config: Config, overrides: list[str]) -> None:
    from attnray.executors.process import process
    from attnray.executors.todo import ANALYSE

    with driving() as hold:
        process(_existing(config, overrides, hold), frozenset({ANALYSE}))


def _probe(config: Config, overrides: list[str]) -> None:
    from attnray.executors.process import process
    from attnray.executors.todo import PROBE

    with driving() as hold:
        run = _existing(config, overrides, hold, PROBES)
        process(run, frozenset({PROBE}))
        reduce_probes(run)
    print(closing_lines(shown_tables(run, {PROBES}), run.model))
    print(f"tables:  {run.folder.where('tables')}")


def _reduce(config: Config, overrides: list[str]) -> None:
    with driving() as hold:
        _tabulate(_existing(config, overrides, hold))


def _compare(config: Config, _: list[str]) -> None:
    from attnray.compare.job import compare

    if not config.runs:
        raise InputError("no runs to compare: say 'runs=[runs/a,runs/b]', or a pattern")
    folders = [RunFolder(path) for each in config.runs for path in matching(each)]
    names = sorted(Path(folder.root).resolve().name for folder in folders)
    default = runs_folder() / f"comparison-{fingerprint({'runs': names})[:8]}"
    target = RunFolder(run_folder(config.run_dir) if config.run_dir else default)
    with doing("comparing"):
        compared = compare(folders, target)
    print(closing_of_comparison(compared))
    print(f"tables:  {target.where('tables')}")
    print(f"report:  {target.where(page_of(REPORT))}")


def _report(config: Config, overrides: list[str]) -> None:
    run = _existing(config, overrides, nobody_else)
    if not reported(run):
        with driving() as hold:
            hold(run.folder)
            with doing("report"):
                report(run)
    print_summary(run)


JOBS: dict[str, Callable[[Config, list[str]], None]] = {
    "run": _run,
    "plan": _plan,
    "extract": _extract,
    "analyse": _analyse,
    "probe": _probe,
    "reduce": _reduce,
    "report": _report,
    "compare": _compare,
}


def _existing(config: Config, overrides: list[str], hold: Hold, metric: str | None = None) -> Run:
    """The run a stage works on: its folder's plan, and what the command line says on top.

    Args:
        config: the configuration of the command line.
        overrides: what was said there.
        hold: keeps others from the run folder.
        metric: what the stage is for, whether it is among the metrics or not.

    Raises:
        InputError: there is no plan in the folder, or it was made with other settings.
    """
    if config.run_dir is None:
        return _planned(_with(config, metric), hold)
    folder = RunFolder(run_folder(config.run_dir))
    hold(folder)
    manifest = Manifest.read(folder)
    if manifest is None:
        raise InputError(f"{folder} has no manifest.json: `{called('run')}` makes a run")
    merged = _on_top(manifest.config, config, overrides)
    merged = _with(_without_unknown(merged), metric)
    check(merged)
    refuse_other(folder, _frozen(asdict(typed(planned(manifest.config)))), _frozen(asdict(merged)))
    return existing(folder, merged, manifest)


def _without_unknown(config: Config) -> Config:
    """Without metrics of one's own that the command line does not name: no code of theirs runs.

    Raises:
        InputError: there are no others.
    """
    there = known(config.metrics)
    others = [each for each in config.metrics if each not in there]
    if others and not there:
        raise InputError(f"only {', '.join(others)} was measured: name its code in metrics=[…]")
    for name in others:
        _note(f"{name} is left as it is: it is measured where metrics=[…] names its code")
    return replace(config, metrics=there)


def _with(config: Config, metric: str | None) -> Config:
    metrics = config.metrics + ([metric] if metric and metric not in config.metrics else [])
    return replace(config, metrics=metrics)


def _on_top(content: dict[str, object], config: Config, overrides: list[str]) -> Config:
    """The planned configuration with the settings that the overrides name."""
    said = OmegaConf.structured(config)
    merged = planned(content)
    for override in OverridesParser.create().parse_overrides(overrides):
        key = override.package or override.key_or_group
        OmegaConf.update(merged, key, OmegaConf.select(said, key), merge=False)
    return typed(merged)


def _frozen(config: dict[str, object]) -> dict[str, object]:
    names = {field.name for field in fields(Config)} & set(FROZEN)
    frozen = redacted({name: config[name] for name in sorted(names)})
    store = frozen["store"]
    assert isinstance(store, dict)
    del store["keep"]  # what is stored is the same, for however long
    return frozen


def _print_notes(run: Run) -> None:
    for note in run.notes:
        _note(note)


def _note(text: str) -> None:
    """Print a note, which may have names out of anyone's corpus or run folder."""
    print(f"note: {legible(text)}")


def print_summary(run: Run) -> None:
    """Print what a run ends with."""
    _print_notes(run)
    if lines := closing_lines(shown_tables(run), run.model):
        print(lines)
    print(f"tables:  {run.folder.where('tables')}")
    print(f"report:  {run.folder.where(page_of(REPORT))}")
    if run.config.reproduce:
        print(f"paper:   {run.folder.where(page_of(REPRODUCTION))}")
