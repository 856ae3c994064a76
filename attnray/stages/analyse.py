"""Analyse: one shard's attention through the metrics into their partials and cases."""

from __future__ import annotations

import torch

from attnray.metrics.analysis import analyse as find
from attnray.stages.tasks import AnalyseTask
from attnray.store.maps import StoredMaps


def analyse(task: AnalyseTask) -> None:
    """Write what each metric finds in a shard, and commit it; then its attention may go."""
    if task.metrics:
        _measure(task)
    if not task.keep:
        task.folder.remove_attention(task.shard)


def _measure(task: AnalyseTask) -> None:
    torch.set_num_threads(1)
    examples = task.examples
    maps = StoredMaps(task.folder.attention(task.shard), examples)
    everything = find(task.metrics, examples, maps)
    for metric, fingerprint, found in zip(task.metrics, task.fingerprints, everything, strict=True):
        task.folder.commit_found(metric, task.shard, fingerprint, found, task.cases)
