"""Planned runs: from a configuration to a run with its plan, and where its folder is."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from attnray.called import called, said
from attnray.config import Config, CorpusConfig, sized
from attnray.corpus.files.addresses import is_address
from attnray.errors import InputError
from attnray.metrics.base import Heads
from attnray.metrics.registry import METRICS, PROBES, roles_of
from attnray.model.families import heads_of, longest_input, may_have_head, width_of
from attnray.model.source import Checkpoint, check_device, locate
from attnray.redacted import redacted
from attnray.stages.again import plan_again
from attnray.stages.parts import Spread
from attnray.stages.plan import PlannedSets, Planner
from attnray.store.files import fingerprint
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest, identity, refuse_other
from attnray.store.places import Root, below, run_folder, runs_folder
from attnray.store.run import Run

#: Where the run of a control lies in the folder of the run it belongs to.
CONTROLS = "controls"


#: Keeps others from a run folder for the time of a job.
Hold = Callable[[RunFolder], object]


def nobody_else(_: RunFolder) -> None:
    """There are no others."""


def plan(
    config: Config,
    device: str,
    place: Place | None = None,
    spread: Spread = map,
    hold: Hold = nobody_else,
) -> Run:
    """Plan a run and its controls, or find the plan that its folder has.

    Args:
        config: the configuration.
        device: what its extractors run on.
        place: where it lies in a sweep.
        spread: has the parts of a corpus planned: by default one after another, here.
        hold: keeps others from the run folder, before anything is read or written there.

    Raises:
        InputError: the configuration or an input cannot be used, or the folder holds
            another run.
        IncompleteRun: another job is at work there.
    """
    *_, run = states(config, device, place, spread, hold)
    return run


def states(
    config: Config,
    device: str,
    place: Place | None = None,
    spread: Spread = map,
    hold: Hold = nobody_else,
) -> Iterator[Run]:
    """A run as its plan grows, and whole at last: see `plan`.

    In each state all is known that is to be done on the shards that it has; the first of a new run
    has none, and says which run it is. There is one state alone where the folder has the plan, and
    where the tasks of a run depend on all of it.
    """
    place = place or Place(runs_folder())
    config = _absolute(sized(config, device))
    found = _states(config, device, place, spread, hold)
    if config.controls or PROBES in config.metrics:
        *_, run = found
        yield replace(run, twin=plan(_twin(run), device, place, spread)) if config.controls else run
    else:
        yield from found


@dataclass(frozen=True)
class Place:
    """Where runs without a folder of their own lie, and the shards already planned there.

    `suffix` is added to the default name of a run folder.
    """

    folder: Root
    suffix: str = ""
    planned: PlannedSets = field(default_factory=dict)


def existing(folder: RunFolder, config: Config, manifest: Manifest) -> Run:
    """A planned run with a configuration that may say more than its plan.

    Raises:
        InputError: the controls it asks for are not planned.
    """
    config = _absolute(config)
    run = Run(folder, config, manifest)
    if not config.controls:
        return run
    twin = _twin(run)
    twin_folder = RunFolder(run_folder(str(twin.run_dir)))
    planned = Manifest.read(twin_folder)
    if planned is None:
        raise InputError(
            f"{folder} has no plan for controls={config.controls}: `{called('run')}` or "
            f"`{called('plan')}` with it comes first"
        )
    return replace(run, twin=Run(twin_folder, twin, planned))


def _twin(run: Run) -> Config:
    """The same run with new weights."""
    control = run.config.controls
    return replace(
        run.config,
        model=replace(run.config.model, random_init=True),
        run_dir=f"{run.folder.root}/{CONTROLS}/{control}",
        controls=None,
    )


def _states(config: Config, device: str, place: Place, spread: Spread, hold: Hold) -> Iterator[Run]:
    checkpoint = locate(config.model, config.seed)
    check_device(checkpoint, device)
    now = identity(config, checkpoint, device)
    roles = [*dict.fromkeys(role for metric in config.metrics for role in roles_of(metric))]
    _refuse_the_same(now["corpora"], roles)
    folder = RunFolder(_folder(config, checkpoint, now, place))
    hold(folder)
    manifest = Manifest.read(folder)
    if manifest is None:
        # Told before the model's configuration is read, the import for which takes seconds.
        yield Run(folder, config, Manifest(now, {}, [], {}, [], (0, 0), 0), whole=False)
        heads, width, longest = _shape(checkpoint)
        made = _made(folder)
        manifest = Manifest(now, {}, [], {}, [], heads, width, longest=longest, made=made)
    refuse_other(folder, manifest.identity, now, manifest.roles.keys() & {*roles})
    planned = {role: manifest.identity["corpora"][role] for role in manifest.roles}
    now["corpora"] |= planned
    without = _without(config, checkpoint, manifest)
    kept = redacted(asdict(replace(config, run_dir=None)))  # which may move
    manifest = replace(manifest, identity=now, config=kept, without=without)
    planner = Planner(folder, config, checkpoint, place.planned, spread)
    plan_again(manifest, planner, roles)
    growing = planner.grow(manifest, roles)
    for manifest in growing:
        yield Run(folder, config, manifest, whole=False)
    yield Run(folder, config, planner.freeze(manifest, roles))


def _made(folder: RunFolder) -> dict[str, str]:
    """How a run is begun."""
    began = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"command": said(), "began": began, "folder": redacted(str(folder))}


def _shape(checkpoint: Checkpoint) -> tuple[Heads, int, int]:
    """The layers and heads of a model, its width, and the most pieces that it takes.

    Raises:
        InputError: no model can be made of the checkpoint.
    """
    from attnray.model.configuration import read_config
    from attnray.model.weights import check

    config = read_config(checkpoint)
    check(checkpoint, config)
    return heads_of(config), width_of(config), longest_input(config)


def _refuse_the_same(corpora: dict[str, dict[str, object]], roles: Collection[str]) -> None:
    """Refuse probes that would be scored on what they were trained on."""
    if "train" in roles and corpora["train"]["sha256"] == corpora["dev"]["sha256"]:
        raise InputError("corpora.train and corpora.dev have the same contents: give two corpora")


def _without(config: Config, checkpoint: Checkpoint, manifest: Manifest) -> dict[str, str]:
    """The metrics that the model cannot have, and what it lacks for them.

    To find out, the weights may have to be loaded: what the manifest knows is not looked up again.
    """
    of_gradients = {m for m in config.metrics if m in METRICS and METRICS[m].made_of == "gradients"}
    if of_gradients <= {*manifest.config.get("metrics", ())}:
        return manifest.without
    if not of_gradients or _has_head(checkpoint):
        return {}
    return dict.fromkeys(sorted(of_gradients), "the checkpoint has no masked-LM head")


def _has_head(checkpoint: Checkpoint) -> bool:
    from attnray.model.weights import names

    if not may_have_head(names(checkpoint)):
        return False
    from attnray.model.masked_lm import has_head

    return has_head(checkpoint)


def _folder(config: Config, checkpoint: Checkpoint, now: dict[str, object], place: Place) -> Root:
    """The configured run folder, or one named after model, corpus and what decides the run."""
    if config.run_dir is None:
        name = f"{checkpoint.name}-{config.corpus.name}-{fingerprint(now)[:8]}{place.suffix}"
        return below(place.folder, name)
    return run_folder(config.run_dir)


def _absolute(config: Config) -> Config:
    """The configuration with paths that hold from any folder."""
    model, probe = config.model, config.probe
    if model.path is not None:
        model = replace(model, path=_whole(model.path))
    if probe.vectors is not None:
        probe = replace(probe, vectors=_whole(probe.vectors))
    own = {
        role: _absolute_corpus(CorpusConfig(**corpus))
        for role, corpus in asdict(config.corpora).items()
        if corpus is not None
    }
    return replace(
        config,
        model=model,
        probe=probe,
        corpus=_absolute_corpus(config.corpus),
        corpora=replace(config.corpora, **own),
    )


def _absolute_corpus(corpus: CorpusConfig) -> CorpusConfig:
    paths = corpus.path if isinstance(corpus.path, list) else [corpus.path]
    return replace(corpus, path=[p if is_address(p) else _whole(p) for p in paths])


def _whole(path: str) -> str:
    return str(Path(os.path.expanduser(path)).absolute())
