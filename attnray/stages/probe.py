"""Probe: one probe from one seed, trained and scored on the stored attention of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from attnray.config import ModelConfig, ProbeConfig
from attnray.metrics.registry import PROBES
from attnray.model.encoder import input_embeddings
from attnray.model.source import locate
from attnray.probe.classifiers import NEEDS
from attnray.probe.scoring import score
from attnray.probe.training import train
from attnray.probe.vectors import Glove, InputEmbeddings, Vectors
from attnray.stages.extract import read_examples
from attnray.store.folder import RunFolder
from attnray.store.partials import write_partial


@dataclass(frozen=True)
class ProbeTask:
    """A probe to train and to score, and the fingerprint its marker gets.

    `number` is its place in the run; `train` and `dev` are shards.
    """

    stage: ClassVar[str] = "probe"
    folder: RunFolder
    number: int
    probe: str
    seed: int
    train: tuple[int, ...]
    dev: tuple[int, ...]
    config: ProbeConfig
    model: ModelConfig
    model_seed: int
    device: str
    identity: str

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"{self.probe} from seed {self.seed}"


def probe(task: ProbeTask) -> None:
    """Train a probe, score it, and commit what it got right."""
    torch.set_num_threads(1)
    vectors = _vectors(task) if NEEDS[task.probe][1] else None
    trained, words = train(
        task.probe, task.seed, task.folder, task.train, vectors, task.config, task.device
    )
    counts = score(task.probe, trained, task.folder, task.dev, vectors, task.device)
    path = task.folder.partial(PROBES, task.number)
    write_partial(path, counts | {"train_words": np.asarray(words)})
    task.folder.commit(PROBES, task.number, task.identity, [path])


def _vectors(task: ProbeTask) -> Vectors:
    if task.config.vectors is None:
        return InputEmbeddings(input_embeddings(locate(task.model, task.model_seed)))
    shards = (*task.train, *task.dev)
    needed = {w for shard in shards for e in read_examples(task.folder, shard) for w in e.words}
    return Glove(task.config.vectors, needed)
