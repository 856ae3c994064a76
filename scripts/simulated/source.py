"""A small run whose files stand for those of every shard, and the plan that has it many times."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from attnray.cli.choices import configuration_folder, register_models
from attnray.config import Config, register, typed
from attnray.config import planned as planned_config
from attnray.executors.process import process
from attnray.model.source import locate
from attnray.stages.planned import plan
from attnray.stages.reduce import reduce
from attnray.stages.tasks import AnalyseTask, ExtractTask
from attnray.store.folder import RunFolder, measured
from attnray.store.manifest import Manifest
from attnray.store.run import Run

#: What makes the run whose files are taken.
SOURCE = (
    "executor=serial",
    "metrics=[patterns,syntax]",
    "store=none",
    "store.sample=0",
    "shard.examples=56",
)
TOKENIZER = ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def make_source(scratch: Path, overrides: Sequence[str]) -> Path:
    """Make the small run, unless it is there; gives its folder."""
    folder = scratch / "source"
    run = plan(composed(scratch, [*SOURCE, f"run_dir={folder}", *overrides]), "cpu")
    process(run)
    reduce(run)
    return folder


def composed(scratch: Path, overrides: Sequence[str]) -> Config:
    """The configuration of overrides; without a model among them of one of BERT-base's shapes."""
    register()
    register_models()
    with initialize_config_dir(str(configuration_folder()), version_base=None):
        config = typed(compose("config", overrides=[*overrides]))
    if any(each.startswith("model") for each in overrides):
        return config
    from gpu_check import BERT_BASE  # with torch, which the driver does without

    base = scratch / "bert-base"
    if not base.exists():
        base.mkdir(parents=True)
        for name in TOKENIZER:
            shutil.copy(locate(config.model, 0).folder / name, base)
        shapes = {"architectures": ["BertModel"], **BERT_BASE}
        (base / "config.json").write_text(json.dumps(shapes))
    model = replace(config.model, name="bert-base", path=str(base), checksums={}, random_init=True)
    return replace(config, model=model)


def opened(folder: Path) -> Run:
    """The run in a folder."""
    manifest = Manifest.read(RunFolder(folder))
    assert manifest is not None
    return Run(RunFolder(folder), typed(planned_config(manifest.config)), manifest)


def repeated(manifest: Manifest, copies: int) -> Manifest:
    """A plan with the shards of another so many times."""
    (examples,) = manifest.sets
    many = replace(
        examples,
        shards=range(len(examples.shards) * copies),
        sizes=[*examples.sizes] * copies,
        tokens=[*examples.tokens] * copies,
        cells=[*examples.cells] * copies,
        counts={item: count * copies for item, count in examples.counts.items()},
    )
    return replace(manifest, sets=[many], examples=[*manifest.examples] * copies)


@dataclass(frozen=True)
class StandIn:
    """Commits for a task what the shard it repeats has in the run of `source`."""

    source: Run

    def __call__(self, task: Any) -> None:
        """Link the files; a shard that is committed twice is an error."""
        assert isinstance(task, ExtractTask | AnalyseTask)
        number = task.shard % len(self.source.manifest.examples)
        for metric, fingerprint in zip(task.metrics, task.fingerprints, strict=True):
            stage, files = measured(metric.name), {}
            for name, checksum in self.source.folder.listed(stage, number).items():
                new = name.replace(f"{number:05}", f"{task.shard:05}")
                path = task.folder.medium.where(new)
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                os.link(self.source.folder.medium.where(name), path)
                files[new] = checksum
            task.folder.commit(stage, task.shard, fingerprint, files)
