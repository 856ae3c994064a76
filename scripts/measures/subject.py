"""What is measured: a model with a planned corpus, and the bare eager model beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModel

from attnray.cli.choices import configuration_folder, register_models
from attnray.cli.overrides import known_to_hydra
from attnray.config import Config, register, typed
from attnray.corpus.example import Example
from attnray.metrics.analysis import analyse as find
from attnray.metrics.base import Metric
from attnray.metrics.groups import Group, batches
from attnray.metrics.tree import leaves
from attnray.model.configuration import read_config
from attnray.model.encoder import Encoder, padded
from attnray.model.source import Checkpoint, locate
from attnray.stages.parts import Spread, TokenizerSettings, word_pieces
from attnray.stages.plan import Planner
from attnray.stages.planned import Place, plan
from attnray.store.codecs import Codec
from attnray.store.files import fingerprint
from attnray.store.folder import RunFolder
from attnray.store.maps import EncodedMaps
from attnray.store.run import Run

Leaves = dict[str, Any]
Inputs = Sequence[NDArray[Any]]


@dataclass(frozen=True)
class Subject:
    """A corpus and a model.

    Attributes:
        name: what the corpus is called in tables.
        settings: overrides that choose corpus and model.
        scratch: a folder of its own.
        rounds: how often each side is timed.
        cells: how many weights of a head a slow side takes, spread over the corpus.
        warm: whether a round that is not counted comes first.
    """

    name: str
    settings: tuple[str, ...]
    scratch: Path
    rounds: int
    cells: int
    warm: bool

    @cached_property
    def run(self) -> Run:
        """The run of the stored path, planned."""
        return self.planned("store=log16")

    def planned(self, *settings: str) -> Run:
        """A planned run with some settings more."""
        folder = self.scratch / fingerprint({"settings": settings})
        config = composed([*self.settings, "metrics=[patterns,syntax]", *settings])
        return plan(replace(config, run_dir=str(folder)), "cpu", Place(self.scratch))

    def replanned(self, run: Run, folder: RunFolder, spread: Spread = map) -> Run:
        """The same run, planned anew in another folder."""
        empty = replace(run.manifest, sets=[], roles={}, examples=[], samples={})
        planner = Planner(folder, run.config, self.checkpoint, {}, spread)
        roles = [*run.manifest.roles]
        *_, grown = planner.grow(empty, roles)
        return replace(run, folder=folder, manifest=planner.freeze(grown, roles))

    def emptied(self, name: str) -> RunFolder:
        """A run folder with nothing in it."""
        shutil.rmtree(self.scratch / name, ignore_errors=True)
        return RunFolder(self.scratch / name)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The model's files."""
        return locate(self.run.config.model, self.run.config.seed)

    @cached_property
    def encoder(self) -> Encoder:
        """The model with its tap."""
        return Encoder(self.checkpoint, "cpu")

    @cached_property
    def bare(self) -> Bare:
        """The model as it comes from transformers."""
        return Bare(self.checkpoint, "cpu")

    @cached_property
    def shards(self) -> list[list[Example]]:
        """The examples of every shard."""
        return [self.run.folder.examples(*shard) for shard in self.run.manifest.shards]

    @cached_property
    def batches(self) -> list[Group]:
        """The batches of every shard."""
        return [group for examples in self.shards for group in batches(examples)]

    @property
    def words(self) -> int:
        """How many words are planned, in all example sets together."""
        return sum(each.counts["words"] for each in self.run.manifest.sets)

    def fresh_tokenizer(self) -> TokenizerSettings:
        """Load the tokenizer anew: it knows no word yet. Gives what a worker needs to do so."""
        model = self.run.config.model
        identity = fingerprint(self.checkpoint.tokenizer())
        known = read_config(self.checkpoint).vocab_size
        settings = TokenizerSettings(model.path, model.hub, model.revision, known, identity)
        load_tokenizer(settings)
        return settings


def composed(settings: Sequence[str]) -> Config:
    """The configuration that a job with these settings has."""
    register()
    register_models()
    folder = str(configuration_folder().absolute())
    with hydra.initialize_config_dir(folder, version_base=None):
        return typed(hydra.compose("config", known_to_hydra([*settings])))


def load_tokenizer(settings: TokenizerSettings) -> None:
    """Have a new tokenizer in this process, with what it makes when it is first used."""
    word_pieces.cache_clear()
    pieces, one = word_pieces(settings), np.zeros(1, np.int32)
    pieces.spelled(one)
    pieces.roles(one, np.ones(1, np.bool_))


class Bare(Encoder):
    """The same model as it comes from transformers, eager attention and all."""

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        super().__init__(checkpoint, device)
        self._model = AutoModel.from_pretrained(
            checkpoint.folder, attn_implementation="eager", local_files_only=True
        ).eval()

    def attention(self, pieces: Inputs, types: Inputs, sink: Callable[[int, Tensor], None]) -> None:
        """See `Encoder.attention`; all layers are kept until the last one."""
        for layer, weights in enumerate(self.run(pieces, types, attentions=True).attentions):
            sink(layer, weights)

    def run(self, pieces: Inputs, types: Inputs, attentions: bool = False) -> Any:
        """What the model gives for a batch."""
        with torch.inference_mode():
            inputs = padded(self._model, pieces, types)
            return self._model(**inputs, output_attentions=attentions)


def by_shard(run: Run) -> dict[int, list[Metric]]:
    """The metrics that each shard is measured by."""
    found: dict[int, list[Metric]] = {}
    for name in run.metrics:
        for each in run.measurements(name):
            for shard in each.examples.shards:
                found.setdefault(shard, []).append(each.metric)
    return found


def found_in(run: Run) -> Leaves:
    """The partials of a run as arrays, by metric, shard and name."""
    return {
        key: array
        for shard, metrics in by_shard(run).items()
        for each in metrics
        for key, array in _named(each, shard, run.folder.partial(each.name, each.partial, shard))
    }


def found_by(encoder: Encoder, run: Run, codec: Codec | None = None) -> Leaves:
    """The same from a model's attention held in memory, as a store of some codec has it."""
    found: Leaves = {}
    for shard, metrics in by_shard(run).items():
        examples = run.folder.examples(*run.manifest.shard(shard))
        everything = find(metrics, examples, EncodedMaps(encoder, examples, codec))
        for metric, each in zip(metrics, everything, strict=True):
            found |= _named(metric, shard, each.partial)
    return found


def _named(metric: Metric, shard: int, partial: Any) -> Iterator[tuple[str, Any]]:
    for path, array in leaves(partial):
        yield "/".join((metric.name, str(shard), *path)), array
