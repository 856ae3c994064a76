"""What stands in for Ray: its calls on a clock of its own, and whose the CPU time is."""

from __future__ import annotations

import heapq
import pickle
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from attnray.executors.pulse import Node
from attnray.executors.worker import run_alike

#: Seconds that a shard has a logical GPU, or its analysis a CPU, give or take a fifth.
EXTRACTION, ANALYSIS, SPREAD = 1.2, 1.0, 0.2


class Meter:
    """Tells what the driver takes from what stands for others."""

    def __init__(self) -> None:
        self._others = 0.0

    def seconds(self) -> float:
        """CPU seconds of this process so far, but for those of others."""
        return time.process_time() - self._others

    @contextmanager
    def others(self) -> Iterator[None]:
        """What is done in here is not the driver's."""
        start = time.process_time()
        try:
            yield
        finally:
            self._others += time.process_time() - start


class Actor:
    """A logical GPU: one task after another; `busy` are the seconds it had one."""

    def __init__(self, cluster: Cluster) -> None:
        self.free = self.busy = 0.0
        self.run = SimpleNamespace(remote=lambda *args: cluster.submit(args, self))
        self.load = self.answer = SimpleNamespace(remote=lambda *_: None)
        self.answer.options = lambda **_: self.answer


@dataclass(frozen=True)
class Call:
    """A function that a worker calls when what it makes is wanted."""

    function: Any
    sent: bytes

    def made(self) -> Any:
        """What it makes."""
        return self.function(*pickle.loads(self.sent))


class Cluster:
    """The calls of Ray that the executor makes, on a clock of its own: `now`, in seconds.

    `called` are the CPU seconds of functions that workers called.
    """

    exceptions = SimpleNamespace(
        RayError=type("RayError", (Exception,), {}),
        RayTaskError=type("RayTaskError", (Exception,), {}),
        LocalRayletDiedError=type("LocalRayletDiedError", (Exception,), {}),
    )

    def __init__(self, meter: Meter, work: Callable[[Any], None], cpus: int) -> None:
        self._meter = meter
        self._work = work
        self._cpus = cpus
        self._random = random.Random(0)
        self._flying: list[tuple[float, int, Any]] = []
        self._landed: set[int] = set()
        self.now = self.called = 0.0
        self.tasks = self.bytes_sent = self.most_flying = 0
        self.actors: list[Actor] = []

    def is_initialized(self) -> bool:
        """It is there."""
        return True

    def pulse(self) -> Pulse:
        """What follows it."""
        return Pulse(self, [Node("0", "127.0.0.1", self._cpus, 0)])

    def remote(self, what: object = None, **_: object) -> Any:
        """What makes an actor of a class, or a task of a function."""
        if what is None:
            return self.remote
        if isinstance(what, type):
            handle = SimpleNamespace(remote=self._actor)
        elif what is run_alike:
            handle = SimpleNamespace(remote=lambda *args: self.submit(args, None))
        else:
            handle = SimpleNamespace(remote=lambda *args: Call(what, pickle.dumps(args)))
        handle.options = lambda **_: handle
        return handle

    def submit(self, args: tuple[Any, ...], actor: Actor | None) -> int:
        """Start a task, the last of the arguments, when its actor is free; gives its reference."""
        # Ray does that as well, on the driver's account.
        self.bytes_sent += len(pickle.dumps(args))
        with self._meter.others():
            seconds = ANALYSIS if actor is None else EXTRACTION
            seconds *= self._random.uniform(1 - SPREAD, 1 + SPREAD)
            end = seconds + (self.now if actor is None else max(self.now, actor.free))
            if actor is not None:
                actor.free = end
                actor.busy += seconds
            self.tasks += 1
            heapq.heappush(self._flying, (end, self.tasks, args[-1]))
            self.most_flying = max(self.most_flying, len(self._flying))
            return self.tasks

    def wait(self, references: list[int], **_: Any) -> tuple[list[int], list[int]]:
        """The tasks that have ended; where none has, the first that does, once it committed."""
        with self._meter.others():
            if not self._landed:
                self.now, reference, task = heapq.heappop(self._flying)
                self._work(task)
                self._landed.add(reference)
            landed = [each for each in references if each in self._landed]
            return landed, [each for each in references if each not in self._landed]

    def get(self, reference: int | Call) -> Any:
        """What a worker makes: of a shard nothing but files, and then it is known of."""
        if isinstance(reference, Call):
            start = time.process_time()
            with self._meter.others():
                made = pickle.dumps(reference.made())
            self.called += time.process_time() - start
            return pickle.loads(made)
        self._landed.discard(reference)
        return None

    def cancel(self, reference: Call) -> None:
        """It was not begun."""

    def kill(self, actor: Actor) -> None:
        """It has nothing to do any more."""

    def busy(self) -> float:
        """The share of the time in which GPUs had a task."""
        return sum(actor.busy for actor in self.actors) / (len(self.actors) * self.now)

    def _actor(self, *_: object) -> Actor:
        self.actors.append(Actor(self))
        return self.actors[-1]


@dataclass(frozen=True)
class Pulse:
    """Stands in for what follows a cluster: this one goes on, with a CPU for each GPU."""

    cluster: Cluster
    nodes: list[Node]
    here = "0"

    def __enter__(self) -> Pulse:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def resources(self) -> dict[str, float]:
        """How much there is."""
        return {"CPU": self.nodes[0].cpus}

    def check_place(self, *_: float) -> None:
        """There is one."""

    def get(self, reference: Any) -> Any:
        """What a task makes."""
        return self.cluster.get(reference)

    def wait(self, references: list[int], seconds: float) -> list[int]:
        """The tasks that have ended; those that are asked whether they are alive never do."""
        return self.cluster.wait(references)[0] if seconds else []
