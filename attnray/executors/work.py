"""What there is to do of runs, how a task ends, and what an executor is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeVar

from attnray.config import ExecutorConfig, ModelConfig
from attnray.errors import InputError
from attnray.stages.tasks import (
    AnalyseTask,
    DifferentiateTask,
    ExtractTask,
    ModelTask,
    ProbeTask,
    Task,
)

T = TypeVar("T")
R = TypeVar("R")
#: Linux has one of these where it has a GPU: of NVIDIA, of AMD, of Windows around it.
GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
#: The executors by name, each with its module and class.
EXECUTORS = {
    "ray": "attnray.executors.ray:RayExecutor",
    "serial": "attnray.executors.serial:SerialExecutor",
}


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


@dataclass(frozen=True)
class Work:
    """The tasks that are left of one model's run.

    `analyse` holds the shards to analyse once they are extracted; probes are trained once
    every shard is.
    """

    model: ModelSettings
    extract: list[ExtractTask]
    differentiate: list[DifferentiateTask] = field(default_factory=list)
    analyse: dict[int, AnalyseTask] = field(default_factory=dict)
    probe: list[ProbeTask] = field(default_factory=list)

    def on_model(self) -> list[ModelTask]:
        """What needs the model, extraction first."""
        return [*self.extract, *self.differentiate]

    @property
    def needs_model(self) -> bool:
        """Whether there is anything to do that takes the model or its device."""
        return bool(self.extract or self.differentiate or self.probe)

    def ready(self) -> list[AnalyseTask]:
        """The analyses that wait for no extraction."""
        waiting = {task.shard for task in self.extract}
        return [task for shard, task in self.analyse.items() if shard not in waiting]

    def __len__(self) -> int:
        return len(self.on_model()) + len(self.analyse) + len(self.probe)


@dataclass(frozen=True)
class Outcome:
    """A task that ended.

    `work` is the place of the run it belongs to among those the executor was given; `error`
    says why it failed, in one line; `refused` is the error of an input that cannot be used,
    for which nothing more of that run is tried.
    """

    work: int
    task: Task
    error: str | None = None
    refused: InputError | None = None


class Executor(Protocol):
    """Runs the work of one or more runs and tells of each task as it ends.

    A task that fails is set aside and the rest goes on.
    """

    def device(self) -> str:
        """What extractors run on: cuda, or cpu where there is no GPU or none is asked for."""

    def spread(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        """What a function makes of each item, in their order; the first error ends it."""

    def run(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """Run everything; every task gives one outcome, unless the one before it failed."""


def make_executor(config: ExecutorConfig) -> Executor:
    """The configured executor; it is imported only where it is used.

    Raises:
        InputError: there is none of this name.
    """
    if config.name not in EXECUTORS:
        known = ", ".join(EXECUTORS)
        raise InputError(f"executor.name={config.name} is not possible: it must be one of {known}")
    module, _, kind = EXECUTORS[config.name].partition(":")
    executor: Executor = getattr(import_module(module), kind)(config)
    return executor


def local_device(config: ExecutorConfig) -> str:
    """The device on this machine."""
    wanted = config.gpus_per_extractor
    return "cuda" if (_has_gpu() if wanted is None else wanted > 0) else "cpu"


def _has_gpu() -> bool:
    """Whether torch has a GPU; it takes long to import, and is not asked where none can be."""
    if sys.platform == "linux" and not any(Path(path).exists() for path in GPU_FILES):
        return False
    import torch

    return torch.cuda.is_available()
