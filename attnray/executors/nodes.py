"""What is done on one node, and not on any: they are compared with this machine, tasks are ended.

They are compared before the work starts: what a node lacks would else be found shard after shard.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from attnray.errors import IncompleteRun, describe
from attnray.executors.connection import NodeAffinitySchedulingStrategy, ray
from attnray.executors.likeness import Likeness, check
from attnray.executors.pulse import Node, Pulse

#: A node that is too busy to answer for so many seconds is not waited for.
ANSWER_SECONDS = 60


def check_nodes(pulse: Pulse, likeness: Likeness) -> None:
    """Compare the nodes that work with this machine; one that comes later compares itself.

    Raises:
        InputError: one of them differs, or does not see a run folder; it is named.
        IncompleteRun: the cluster does not answer.
    """
    others = [node for node in pulse.nodes if node.id != pulse.here and node.cpus]
    for node, lacking in _answers(pulse, others, Likeness.lacking, likeness):
        check(node.address, lacking)


def end_task(pulse: Pulse, name: str) -> None:
    """End the process of a task that has begun, on whichever node; its CPU is free then.

    (Ray asks the process to end itself, which one that hangs does not.)

    Raises:
        IncompleteRun: the cluster does not answer.
    """
    for _ in _answers(pulse, pulse.nodes, end_process, name):
        pass


def end_process(name: str) -> None:
    """End the process on this machine that does the task of this name, if there is one."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            title, _, _ = (process / "cmdline").read_bytes().partition(b"\0")
            if title == f"ray::{name}".encode():
                os.kill(int(process.name), signal.SIGKILL)


def _answers(
    pulse: Pulse, nodes: Iterable[Node], function: Callable[..., Any], *args: object
) -> Iterator[tuple[Node, Any]]:
    """What a function makes on each of these nodes, but those that do not answer."""
    asked = []
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        task = ray.remote(function).options(num_cpus=0, scheduling_strategy=there)
        asked.append((node, task.remote(*args)))
    for node, reference in asked:
        try:
            yield node, pulse.get(reference, ANSWER_SECONDS)
        except (IncompleteRun, TimeoutError):  # it is lost, or too busy
            pulse.check()
        except Exception as error:
            yield node, [f"cannot do its work ({describe(error)})"]
