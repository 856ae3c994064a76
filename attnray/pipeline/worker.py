"""The worker that has the model: it extracts shards and differentiates them, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.encoder import Encoder
from attnray.model.masked_lm import MaskedLM
from attnray.model.source import Checkpoint, locate
from attnray.pipeline.differentiate import DifferentiateTask, differentiate
from attnray.pipeline.extract import ExtractTask, extract


@dataclass(frozen=True)
class ModelSettings:
    """What a worker needs to load the model on its own machine.

    `identity` is what the plan found the checkpoint to be.
    """

    config: ModelConfig
    seed: int
    identity: dict[str, object]
    device: str
    threads: int


class ModelWorker:
    """Loads what a task needs with the first that needs it.

    (Ray does not restart an actor whose constructor failed, nor say clearly why it did.)
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings

    def run(self, task: ExtractTask | DifferentiateTask) -> None:
        """Do a piece of work and commit it.

        Raises:
            InputError: the checkpoint here is not the one that was planned with.
        """
        torch.set_num_threads(self._settings.threads)
        if isinstance(task, ExtractTask):
            extract(self._encoder, task)
        else:
            differentiate(self._masked_lm, task)

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        checkpoint = locate(self._settings.config, self._settings.seed)
        if checkpoint.identity() != self._settings.identity:
            raise InputError(
                f"{checkpoint.folder}: not the files the run was planned with; "
                "every machine needs the same checkpoint"
            )
        return checkpoint

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self._checkpoint, self._settings.device)

    @cached_property
    def _masked_lm(self) -> MaskedLM:
        return MaskedLM(self._checkpoint, self._settings.device)
