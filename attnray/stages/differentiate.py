"""Differentiate: one shard's examples through the masked LM and back, for their importance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from attnray.metrics.importance import ImportanceSums
from attnray.model.masked_lm import MaskedLM
from attnray.stages.analyse import stage
from attnray.stages.extract import read_examples
from attnray.store.folder import RunFolder
from attnray.store.partials import write_partial

METRIC = "importance"


@dataclass(frozen=True)
class DifferentiateTask:
    """A shard to differentiate, and the fingerprint its marker gets."""

    stage: ClassVar[str] = "differentiate"
    folder: RunFolder
    shard: int
    identity: str

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"shard {self.shard:05}"


def differentiate(model: MaskedLM, task: DifferentiateTask) -> None:
    """Write a shard's partial of importance and commit it."""
    sums = ImportanceSums((model.layers, model.heads))
    for _, group in groupby(read_examples(task.folder, task.shard), key=lambda e: e.batch):
        batch = list(group)
        sums.add(batch, model.gradients([e.pieces for e in batch], [e.types for e in batch]))
    path = task.folder.partial(METRIC, task.shard)
    write_partial(path, sums.partial())
    task.folder.commit(stage(METRIC), task.shard, task.identity, [path])
