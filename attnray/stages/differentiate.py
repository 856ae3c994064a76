"""Differentiate: one shard through the masked LM and back, to metrics made of gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from attnray.corpus.example import Example
from attnray.metrics.analysis import Add, analyse
from attnray.metrics.base import Heads
from attnray.metrics.groups import batches
from attnray.model.masked_lm import MaskedLM
from attnray.stages.tasks import DifferentiateTask


def differentiate(model: MaskedLM, task: DifferentiateTask) -> None:
    """Write what a metric finds in the gradients of a shard, and commit it."""
    examples = task.examples
    (found,) = analyse([task.metric], examples, Gradients(model, examples))
    task.folder.commit_found(task.metric, task.shard, task.fingerprint, found)


class Gradients:
    """The gradients of a masked LM for the examples of a shard, as maps."""

    def __init__(self, model: MaskedLM, examples: Sequence[Example]) -> None:
        self._model = model
        self._examples = examples
        self.heads: Heads = (model.layers, model.heads)

    def feed(self, add: Add) -> None:
        """See `Maps.feed`."""
        for group in batches(self._examples):
            pieces, types = group.inputs
            layers = self._model.gradients(pieces, types)
            add(group, slice(0, self._model.layers), torch.stack(layers, 1))
