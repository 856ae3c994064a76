"""The worker that has a model: it extracts shards and differentiates them, one after another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.encoder import Encoder
from attnray.model.masked_lm import MaskedLM
from attnray.model.source import Checkpoint, locate
from attnray.stages.differentiate import DifferentiateTask, differentiate
from attnray.stages.extract import ExtractTask, extract


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
    """Has the model of its latest task, and keeps it for the next.

    (It is loaded by the task that needs it: Ray does not restart an actor whose constructor
    failed, nor say clearly why it did.) Two tasks may run at once: one of them has the model,
    while the other reads what it needs, or writes what it found.
    """

    def __init__(self) -> None:
        self._loaded: _Loaded | None = None
        self._turn = threading.Lock()

    def run(self, settings: ModelSettings, task: ExtractTask | DifferentiateTask) -> None:
        """Do a task and commit what it makes.

        Raises:
            InputError: the checkpoint here is not the one that was planned with.
        """
        if isinstance(task, ExtractTask):
            extract(lambda: self._encoder(settings), task)
        else:
            with self._turn:
                differentiate(self._model(settings).masked_lm, task)

    @contextmanager
    def _encoder(self, settings: ModelSettings) -> Iterator[Encoder]:
        with self._turn:
            yield self._model(settings).encoder

    def _model(self, settings: ModelSettings) -> _Loaded:
        torch.set_num_threads(settings.threads)
        if self._loaded is None or self._loaded.settings != settings:
            self._loaded = None  # the memory of one model is free before another takes its own
            self._loaded = _Loaded(settings)
        return self._loaded


class _Loaded:
    """A model, as the encoder and with its head, each when it is first asked for."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        checkpoint = locate(self.settings.config, self.settings.seed)
        if checkpoint.identity() != self.settings.identity:
            raise InputError(
                f"{checkpoint.folder}: not the files the run was planned with; "
                "every machine needs the same checkpoint"
            )
        return checkpoint

    @cached_property
    def encoder(self) -> Encoder:
        return Encoder(self._checkpoint, self.settings.device)

    @cached_property
    def masked_lm(self) -> MaskedLM:
        return MaskedLM(self._checkpoint, self.settings.device)
