"""What runs where the work is done: tasks with a model, and tasks without.

Everything heavy is imported by the task that needs it, where it runs.
"""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from attnray.errors import InputError
from attnray.executors.likeness import Likeness, check_here
from attnray.executors.work import ModelSettings, Took
from attnray.model.source import Checkpoint, locate
from attnray.stages.tasks import AnalyseTask, ExtractTask, ModelTask, ProbeTask

if TYPE_CHECKING:
    from attnray.model.encoder import Encoder
    from attnray.model.masked_lm import MaskedLM


#: How many examples of shards have passed the model, by folder and number of the shard.
Passed = dict[tuple[str, int], int]


def run_free(task: AnalyseTask | ProbeTask) -> Took:
    """Do a task that needs no worker of its own, and commit what it makes."""
    began = time.perf_counter()
    if isinstance(task, ProbeTask):
        from attnray.stages.probe import probe

        probe(task)
    else:
        from attnray.stages.analyse import analyse

        analyse(task)
    return Took(socket.gethostname(), time.perf_counter() - began)


def run_alike(likeness: Likeness | None, task: AnalyseTask | ProbeTask) -> Took:
    """Do such a task, unless this machine is unlike that of the driver.

    Raises:
        InputError: it is.
    """
    if likeness:
        check_here(likeness)
    return run_free(task)


def import_analysis() -> None:
    """Import what analyses need, before there is one; this process is kept for them."""
    with _importing():
        import attnray.metrics.kernels.cpu
        import attnray.stages.analyse  # noqa: F401


@contextmanager
def _importing() -> Iterator[None]:
    """The garbage collector does not look through what stays: a fifth of the time of imports."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class ModelWorker:
    """Has the model of its latest task, and keeps it for the next.

    (It is loaded by the task that needs it: Ray does not restart an actor whose constructor
    failed, nor say clearly why it did.) Two tasks may run at once: one of them has the model,
    while the other reads what it needs, or writes what it found.
    """

    def __init__(self) -> None:
        self._loaded: _Loaded | None = None
        self._turn = threading.Lock()
        self._waited = threading.local()
        #: By the folder and the shard of each task that goes on.
        self.passed: Passed = {}

    def load(self, settings: ModelSettings) -> None:
        """Load a model before there is a task for it; should that fail, its task will say so."""
        with suppress(Exception), _importing(), self._encoder(settings):
            pass

    def run(self, settings: ModelSettings, task: ModelTask) -> Took:
        """Do a task and commit what it makes; seconds in which another has the model are left out.

        Raises:
            InputError: the checkpoint here is not the one that was planned with.
        """
        began, halvings = time.perf_counter(), 0
        if isinstance(task, ExtractTask):
            from attnray.stages.extract import extract

            with self._counting(task) as passed:
                halvings = extract(lambda: self._encoder(settings), task, passed)
        else:
            from attnray.stages.differentiate import differentiate

            with self._model_of(settings) as loaded:
                differentiate(loaded.masked_lm, task)
        seconds = time.perf_counter() - began - self._waited.seconds
        return Took(socket.gethostname(), seconds, halvings)

    @property
    def ready(self) -> bool:
        """Whether it has a model."""
        return self._loaded is not None

    @contextmanager
    def _counting(self, task: ExtractTask) -> Iterator[Callable[[int], None]]:
        """Gives what counts the examples of a task that have passed the model."""

        def passed(count: int) -> None:
            self.passed[task.place] = self.passed.get(task.place, 0) + count

        try:
            yield passed
        finally:
            self.passed.pop(task.place, None)

    @contextmanager
    def _encoder(self, settings: ModelSettings) -> Iterator[Encoder]:
        with self._model_of(settings) as loaded:
            yield loaded.encoder

    @contextmanager
    def _model_of(self, settings: ModelSettings) -> Iterator[_Loaded]:
        """The model, once no other task has it."""
        came = time.perf_counter()
        with self._turn:
            self._waited.seconds = time.perf_counter() - came
            yield self._model(settings)

    def _model(self, settings: ModelSettings) -> _Loaded:
        import torch

        torch.set_num_threads(settings.threads)
        if self._loaded is None or self._loaded.settings != settings:
            self._loaded = None  # the memory of one model is free before another takes its own
            self._loaded = _Loaded(settings)
        return self._loaded


class Extractor(ModelWorker):
    """A worker with a process of its own, maybe on a machine of its own."""

    def __init__(self, likeness: Likeness | None = None) -> None:
        super().__init__()
        self._likeness = likeness

    def answer(self) -> Passed:
        """Says that the process is alive, and how far it is with its tasks."""
        return self.passed.copy()

    def run(self, settings: ModelSettings, task: ModelTask) -> Took:
        """See `ModelWorker.run`; the process ends where its device fails: all else would, too.

        Raises:
            InputError: this machine is unlike that of the driver, or see there.
        """
        if self._likeness:
            check_here(self._likeness)
        try:
            return super().run(settings, task)
        except Exception as error:
            from attnray.model.devices import is_broken

            if is_broken(error):
                os._exit(1)
            raise


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
        from attnray.model.encoder import Encoder

        return Encoder(self._checkpoint, self.settings.device)

    @cached_property
    def masked_lm(self) -> MaskedLM:
        from attnray.model.masked_lm import MaskedLM

        return MaskedLM(self._checkpoint, self.settings.device)
