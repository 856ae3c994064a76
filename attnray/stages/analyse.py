"""Analyse: one shard's attention through the metrics into their partials and cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from attnray.metrics.analysis import analyse as find
from attnray.metrics.base import Metric
from attnray.store.folder import RunFolder
from attnray.store.maps import StoredMaps


@dataclass(frozen=True)
class AnalyseTask:
    """A shard to analyse by metrics, each with the fingerprint its marker gets.

    `cases` says whether the cases of predictors are kept.
    """

    stage: ClassVar[str] = "analyse"
    folder: RunFolder
    shard: int
    metrics: tuple[Metric, ...]
    fingerprints: tuple[str, ...]
    cases: bool

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"shard {self.shard:05}"


def analyse(task: AnalyseTask) -> None:
    """Write what each metric finds in a shard, and commit it."""
    torch.set_num_threads(1)
    examples = task.folder.examples(task.shard)
    maps = StoredMaps(task.folder.attention(task.shard), examples)
    everything = find(task.metrics, examples, maps)
    for metric, fingerprint, found in zip(task.metrics, task.fingerprints, everything, strict=True):
        task.folder.commit_found(metric, task.shard, fingerprint, found, task.cases)
