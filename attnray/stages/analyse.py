"""Analyse: one shard's attention through the metrics into their partials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from attnray.metrics.base import ShardMetric
from attnray.stages.extract import read_examples
from attnray.store.attention import AttentionReader
from attnray.store.folder import RunFolder
from attnray.store.partials import write_partial

#: The most float64 weights held at once; part of no result.
GROUP_WEIGHTS = 4_000_000


@dataclass(frozen=True)
class AnalyseTask:
    """A shard to analyse: its metrics, and the fingerprint each marker gets."""

    stage: ClassVar[str] = "analyse"
    folder: RunFolder
    shard: int
    metrics: tuple[ShardMetric, ...]
    identities: tuple[str, ...]

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"shard {self.shard:05}"


def stage(metric: str) -> str:
    """The name under which a metric's markers lie."""
    return f"analyse-{metric}"


def analyse(task: AnalyseTask) -> None:
    """Write a shard's partials and commit each."""
    torch.set_num_threads(1)
    examples = read_examples(task.folder, task.shard)
    reader = AttentionReader(task.folder.attention(task.shard))
    sums = [metric.start(examples, reader.heads) for metric in task.metrics]
    for first, layers, attention in groups(reader, [e.length for e in examples]):
        for accumulator in sums:
            accumulator.add(first, layers, attention)
    for metric, identity, accumulator in zip(task.metrics, task.identities, sums, strict=True):
        path = task.folder.partial(metric.name, task.shard)
        write_partial(path, accumulator.partial())
        task.folder.commit(stage(metric.name), task.shard, identity, [path])


def groups(reader: AttentionReader, lengths: Sequence[int]) -> Iterator[tuple[int, slice, Tensor]]:
    """Runs of examples of equal length with their attention, a slice of layers at a time.

    Yields the first example, the layers, and (example, layer, head, query, key).
    """
    layers, heads = reader.heads
    bounds = list(_runs(lengths, GROUP_WEIGHTS // (layers * heads)))
    for (first, last), cells in zip(bounds, reader.scan(bounds), strict=True):
        length = lengths[first]
        step = max(1, GROUP_WEIGHTS // (heads * cells.shape[2]))
        for layer in range(0, layers, step):
            chosen = slice(layer, min(layer + step, layers))
            maps = torch.from_numpy(cells[chosen])
            maps = maps.reshape(-1, heads, last - first, length, length)
            yield first, chosen, maps.movedim(2, 0).contiguous()


def _runs(lengths: Sequence[int], most_cells: int) -> Iterator[tuple[int, int]]:
    """First and end of runs of equal length, each of at most so many cells or one example."""
    first = 0
    for position in range(1, len(lengths) + 1):
        end = position == len(lengths)
        full = (position - first + 1) * lengths[first] ** 2 > most_cells
        if end or full or lengths[position] != lengths[first]:
            yield first, position
            first = position
