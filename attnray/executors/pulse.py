"""Whether the cluster still answers, and which nodes it has: asked in a thread, again and again.

Ray itself waits for an answer of a cluster that is gone, some of it without an end.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from attnray.errors import IncompleteRun, InputError, describe
from attnray.executors.connection import Connection, ray

#: How often the cluster is asked, and how long one answer is waited for.
ASK_SECONDS, ANSWER_SECONDS = 2, 3
#: A cluster that is silent for so long is gone; whoever then waits inside Ray, for ever, is ended.
SILENT_SECONDS, STUCK_SECONDS = 10, 12
#: The state of a node that works, as Ray numbers them.
ALIVE = 0
GOES_ON = "the same command goes on where this one stopped"
ENDED = "Ray has ended, or hung, on the machine of this command"


def gone(how: str) -> IncompleteRun:
    """Have done with a cluster that cannot be worked with; gives the error that says so."""
    Connection.lost()
    return IncompleteRun(f"{how}; {GOES_ON}")


@dataclass(frozen=True)
class Node:
    """A node that works: its id, its address, and what it has for the tasks of all jobs."""

    id: str
    address: str
    cpus: float
    gpus: float


class Pulse:
    """Follows the cluster that this process is connected to, until it is closed.

    `here` is the id of the node that it is connected by.

    Raises:
        IncompleteRun: the cluster does not answer.
    """

    _thread: threading.Thread

    def __init__(self) -> None:
        self.here = ray.get_runtime_context().get_node_id()
        # (What Ray's own libraries ask; of what is public nothing takes a limit of time.)
        worker: Any = ray._private.worker.global_worker
        self._client = worker.gcs_client
        self._nodes: list[Node] | None = None
        #: When it was asked in vain, since it last answered.
        self._unheard: list[float] = []
        self._closed = threading.Event()
        while self._nodes is None:
            self.look()
        self._thread = threading.Thread(target=self._follow, name="pulse", daemon=True)
        self._thread.start()

    def __enter__(self) -> Pulse:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    @property
    def nodes(self) -> Sequence[Node]:
        """The nodes that work, as they were last heard of."""
        return self._nodes or []

    @property
    def resources(self) -> dict[str, float]:
        """What they have together, as Ray calls it."""
        nodes = self.nodes
        return {"CPU": sum(node.cpus for node in nodes), "GPU": sum(node.gpus for node in nodes)}

    def check_place(self, cpus: float, gpus: float) -> None:
        """Refuse what no node can ever place, which Ray would wait for without an end.

        Raises:
            InputError: an extractor asks for more than any node has.
        """
        if not any(node.cpus >= cpus and node.gpus >= gpus for node in self.nodes):
            have = "; ".join(sorted({f"{n.cpus:g} CPU, {n.gpus:g} GPU" for n in self.nodes}))
            raise InputError(
                f"an extractor asks for {cpus:g} CPU, {gpus:g} GPU, which no node of the cluster "
                f"has ({have}): lower executor.cpus_per_extractor or executor.gpus_per_extractor"
            )

    def look(self) -> None:
        """Ask now, and check.

        Raises:
            IncompleteRun: see `check`.
        """
        self._ask()
        self.check()

    def check(self) -> None:
        """Return while there is a cluster to work with.

        Raises:
            IncompleteRun: it is silent, or the node of this process has ended.
        """
        if self._silent > SILENT_SECONDS:
            raise gone(self._silence)
        if self._nodes is not None and all(node.id != self.here for node in self._nodes):
            raise gone(ENDED)

    def wait(self, references: list[Any], seconds: float) -> list[Any]:
        """Wait until one of these tasks has ended, or so long; gives all that have.

        Raises:
            IncompleteRun: see `check`.
        """
        self.check()
        # (To fetch what they made, Ray would wait for a node that hangs without a limit.)
        if not ray.wait(references, num_returns=1, timeout=seconds, fetch_local=False)[0]:
            return []
        every = len(references)
        return ray.wait(references, num_returns=every, timeout=0, fetch_local=False)[0]

    def get(self, reference: Any, seconds: float = math.inf) -> Any:
        """What a task makes, once it has ended.

        Raises:
            IncompleteRun: its worker was lost; or see `check`.
            TimeoutError: it has not ended after so many seconds.
            Exception: what it raised itself.
        """
        end = time.monotonic() + seconds
        while not self.wait([reference], ASK_SECONDS):
            if time.monotonic() > end:
                raise TimeoutError
        try:
            return ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            self.look()
            lost = f"a worker was lost ({describe(error)})"
            raise IncompleteRun(f"{lost}; the same command tries again") from error

    @property
    def _silent(self) -> float:
        """For how many seconds it has been asked in vain, more than once.

        (Whoever was stopped meanwhile, as by Ctrl-Z, has not asked.)
        """
        unheard = list(self._unheard)
        return time.monotonic() - unheard[0] if len(unheard) > 1 else 0.0

    @property
    def _silence(self) -> str:
        return f"the Ray cluster has not answered for {self._silent:.0f} s"

    def _follow(self) -> None:
        while not self._closed.wait(ASK_SECONDS):
            self._ask()
            if self._silent > STUCK_SECONDS:
                self._end_stuck()

    def _ask(self) -> None:
        asked = time.monotonic()
        try:
            found = self._client.get_all_node_info(timeout=ANSWER_SECONDS)
        except ray.exceptions.RayError:
            self._unheard.append(asked)
            return
        self._nodes = [
            Node(id.hex(), node.node_manager_address, has.get("CPU", 0), has.get("GPU", 0))
            for id, node in found.items()
            for has in (node.resources_total,)
            if node.state == ALIVE
        ]
        self._unheard.clear()

    def _end_stuck(self) -> NoReturn:
        """End this process, and with it its cluster: inside Ray no exception reaches who waits."""
        with suppress(OSError):
            os.write(2, f"attnray: {self._silence}; {GOES_ON}\n".encode())
        os._exit(1)
