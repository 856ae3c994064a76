"""What an executor is, how a task ends, and the device that extractors run on."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from attnray.config import Config, ExecutorConfig, ModelConfig, require_one
from attnray.errors import Damaged, IncompleteRun, InputError
from attnray.stages.tasks import Task

if TYPE_CHECKING:
    from attnray.executors.feed import Feed
    from attnray.executors.todo import Todo
    from attnray.store.run import Run

T = TypeVar("T")
R = TypeVar("R")
#: Linux has one of these where it has a GPU: of NVIDIA, of AMD, of Windows around it.
GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
#: The executors by name, each with its module and class.
EXECUTORS = {
    "ray": "attnray.executors.ray:RayExecutor",
    "serial": "attnray.executors.serial:SerialExecutor",
}


#: What is waited for before the first examples pass.
LOADING = "loading the model"
#: What a forward pass makes of a device, in FLOP/s, low rather than high.
SPEED = {"cpu": 5e10, "cuda": 1e13}


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


@dataclass
class Reached:
    """How far tasks are that have not ended, for another thread to read: plain, and none of Ray's.

    `passed` examples have passed the model; `doing` is what is waited for until some do.
    """

    passed: int = 0
    doing: str = ""


@dataclass(frozen=True)
class Took:
    """On which host a task was done, in how many seconds, and how often its batches were halved."""

    host: str
    seconds: float
    halvings: int = 0


@dataclass(frozen=True)
class Outcome:
    """A task that ended.

    `todo` is the place of the run it belongs to among those the executor was given; `error`
    says why it failed, in one line; `refused` is the error of an input that cannot be used, or of
    a disk that takes nothing, for which nothing more of that run is tried; `damaged` that of a file
    of the run; `took` is that of a task that was done.
    """

    todo: int
    task: Task
    error: str | None = None
    refused: InputError | IncompleteRun | None = None
    damaged: Damaged | None = None
    took: Took | None = None


@dataclass(frozen=True)
class Late:
    """A task that has taken so many seconds so far, where others took as many as `usual`.

    Where that is None, its worker has not answered for so many seconds.
    """

    todo: int
    task: Task
    seconds: float
    usual: float | None = None


class Executor(Protocol):
    """Does what is left of one or more runs and tells of each task as it ends.

    A task that fails is set aside and the rest goes on.
    """

    def device(self) -> str:
        """What extractors run on: cuda, or cpu where there is no GPU or none is asked for."""

    def spread(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        """What a function makes of each item, in their order; the first error ends it."""

    def once(self, function: Callable[..., R], /, *args: object) -> R:
        """What a function makes, called where extractors run."""

    def extractors(self, device: str, flop: float) -> int:
        """How many extractors would share forward passes of so many FLOP."""

    @property
    def passed(self) -> int:
        """How many examples have passed the model in tasks that have not ended, as last known."""

    @property
    def doing(self) -> str:
        """What is waited for until examples pass, "" where they do."""

    def feed(self, states: Iterator[Run]) -> Feed:
        """The states of a run as they are planned, which may be beside what `run` does."""

    def run(self, todos: Sequence[Todo]) -> Iterator[Outcome | Late]:
        """Do everything; every task gives one outcome, which its run has taken in by then."""


def check(config: Config) -> None:
    """Refuse an executor that there is not.

    Raises:
        InputError: says what is possible.
    """
    require_one("executor.name", config.executor.name, (*EXECUTORS,))


def make_executor(config: ExecutorConfig) -> Executor:
    """The configured executor; it is imported only where it is used."""
    module, _, kind = EXECUTORS[config.name].partition(":")
    executor: Executor = getattr(import_module(module), kind)(config)
    return executor


def extractors(
    config: ExecutorConfig, have: Mapping[str, float], gpus_each: float, flop: float
) -> int:
    """How many extractors: as configured, else one a GPU share, or half of the CPUs.

    No more than have a minute's work each: it takes long to start one. A CPU is left for
    analyses, which could not start before the last of them has ended.
    """
    if config.extractors is not None:
        return config.extractors
    cpus = have["CPU"] / config.cpus_per_extractor
    gpus = have["GPU"] / gpus_each if gpus_each else cpus / 2
    left = (have["CPU"] - 1) / config.cpus_per_extractor
    minutes = math.ceil(flop / SPEED["cuda" if gpus_each else "cpu"] / 60)
    return max(1, min(int(gpus), int(left), minutes))


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
