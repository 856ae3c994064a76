"""The Ray executor: on the cluster of RAY_ADDRESS, else on one of its own on this machine.

What imports Ray, which takes seconds, is imported where there is work for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from attnray.config import ExecutorConfig
from attnray.errors import IncompleteRun
from attnray.executors.cluster import given_address, own_resources
from attnray.executors.feed import Beside, Feed
from attnray.executors.likeness import Likeness, likeness, versions
from attnray.executors.todo import Todo
from attnray.executors.work import Late, Outcome, Reached, extractors, local_device
from attnray.store.run import Run

T = TypeVar("T")
R = TypeVar("R")
#: A cluster starts, and its workers are ready, in the time in which so many parts are planned.
WORTH_A_CLUSTER = 8
#: How long it is waited for what is not wanted any longer before it is looked again.
LOOK_SECONDS = 2


class RayExecutor:
    """Runs on the cluster of RAY_ADDRESS, else on one of its own on this machine."""

    def __init__(self, config: ExecutorConfig) -> None:
        self._config = config
        self._reached = Reached()

    def device(self) -> str:
        """See `Executor.device`."""
        if self._config.gpus_per_extractor is not None or given_address() is None:
            return local_device(self._config)
        return "cuda" if _cluster_resources()["GPU"] else "cpu"

    def spread(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        """See `Executor.spread`; one item, or a few before there is a cluster, stay here."""
        if len(items) == 1:
            return map(function, items)
        from attnray.executors.connection import Connection

        few = len(items) < WORTH_A_CLUSTER and not Connection.is_open()
        return map(function, items) if few else self._spread(function, items)

    def _spread(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        from attnray.executors.connection import Connection, ray
        from attnray.executors.nodes import check_nodes
        from attnray.executors.pulse import Pulse

        Connection.open()
        with Pulse() as pulse:
            if given_address():
                check_nodes(pulse, Likeness(versions()))
            task = ray.remote(function).options(num_cpus=1, max_retries=self._config.retries)
            left = iter(items)
            at_once = 2 * max(1, int(pulse.resources["CPU"]))
            waiting = deque(task.remote(item) for item in islice(left, at_once))
            try:
                while waiting:
                    yield pulse.get(waiting[0])
                    waiting.popleft()
                    waiting.extend(task.remote(item) for item in islice(left, 1))
            finally:
                # Not cancelled: Ray can end this process if a task ends as it is. Nor left alone:
                # they write where others may want to write next.
                with suppress(IncompleteRun):
                    while waiting:
                        for ended in pulse.wait(list(waiting), LOOK_SECONDS):
                            waiting.remove(ended)

    def once(self, function: Callable[..., R], *args: object) -> R:
        """See `Executor.once`."""
        if given_address() is None:
            return function(*args)
        from attnray.executors.connection import Connection, ray
        from attnray.executors.pulse import Pulse

        cpus = self._config.cpus_per_extractor
        gpus = (self._config.gpus_per_extractor or 1) * (self.device() != "cpu")
        with Connection(), Pulse() as pulse:
            pulse.check_place(cpus, gpus)
            task = ray.remote(function).options(num_cpus=cpus, num_gpus=gpus)
            found: R = pulse.get(task.remote(*args))
        return found

    def extractors(self, device: str, flop: float) -> int:
        """See `Executor.extractors`."""
        have = _cluster_resources() if given_address() else own_resources(device)
        gpus = (self._config.gpus_per_extractor or 1) * (device != "cpu")
        return extractors(self._config, have, gpus, flop)

    @property
    def passed(self) -> int:
        """See `Executor.passed`."""
        return self._reached.passed

    @property
    def doing(self) -> str:
        """See `Executor.doing`."""
        return self._reached.doing

    def feed(self, states: Iterator[Run]) -> Feed:
        """See `Executor.feed`."""
        return Beside(states)

    def run(self, todos: Sequence[Todo]) -> Iterator[Outcome | Late]:
        """See `Executor.run`."""
        if all(todo.finished for todo in todos):
            return
        address = given_address()
        self._reached = Reached(doing=f"connecting to {address}" if address else "starting Ray")
        from attnray.executors.connection import Connection
        from attnray.executors.nodes import check_nodes
        from attnray.executors.pulse import Pulse
        from attnray.executors.running import Running

        with Connection(), Pulse() as pulse, ExitStack() as stack:
            for todo in todos:
                stack.callback(todo.close)  # a plan may use the connection
            found = None
            if given_address():
                found = stack.enter_context(likeness([todo.run.folder for todo in todos]))
                check_nodes(pulse, found)
            yield from Running(self._config, todos, pulse, found, self._reached).events()


@lru_cache
def _cluster_resources() -> dict[str, float]:
    """What the cluster of RAY_ADDRESS has: a sweep asks for every member."""
    from attnray.executors.connection import Connection
    from attnray.executors.pulse import Pulse

    with Connection(), Pulse() as pulse:
        return pulse.resources
