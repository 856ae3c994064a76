"""Probe: one probe from one seed, trained and scored on the stored attention of a run."""

from __future__ import annotations

import numpy as np
import torch

from attnray.metrics.registry import PROBES
from attnray.model.encoder import input_embeddings
from attnray.model.source import locate
from attnray.probe.kinds import NEEDS
from attnray.probe.results import ProbePartial
from attnray.probe.scoring import score
from attnray.probe.training import train
from attnray.probe.vectors import Glove, InputEmbeddings, Vectors
from attnray.stages.tasks import ProbeTask


def probe(task: ProbeTask) -> None:
    """Train a probe, score it, and commit what it got right."""
    torch.set_num_threads(1)
    folder, trial = task.folder, task.trial
    vectors = _vectors(task) if NEEDS[trial.probe][1] else None
    trained, words = train(
        trial.probe, trial.seed, folder, trial.train, vectors, task.config, task.device
    )
    scored = score(trial.probe, trained, folder, trial.dev, vectors, task.device)
    files = folder.write_partial(PROBES, trial.number, ProbePartial(np.asarray(words), scored))
    folder.commit(PROBES, trial.number, trial.fingerprint, files)


def _vectors(task: ProbeTask) -> Vectors:
    if task.config.vectors is None:
        return InputEmbeddings(input_embeddings(locate(task.model, task.model_seed)))
    shards = (*task.trial.train, *task.trial.dev)
    needed = {w for shard in shards for e in task.folder.examples(*shard) for w in e.words}
    return Glove(task.config.vectors, needed)
