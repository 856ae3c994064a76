"""Whether every node can do what this machine can: the same code and packages, the same run folder.

Looked at before the work starts: what a node lacks would else be found shard after shard.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import attnray
from attnray.errors import InputError, describe
from attnray.executors.connection import NodeAffinitySchedulingStrategy, ray
from attnray.executors.pulse import Node, Pulse
from attnray.store.committed import CommittedFiles
from attnray.store.manifest import PACKAGES

#: A node that is too busy to answer for so many seconds is not waited for.
ANSWER_SECONDS = 60


def check_nodes(pulse: Pulse, folders: list[CommittedFiles]) -> None:
    """Compare the nodes that work with this machine.

    Raises:
        InputError: one of them differs, or does not see a run folder; it is named.
        IncompleteRun: the cluster does not answer.
    """
    others = [node for node in pulse.nodes if node.id != pulse.here and node.cpus]
    if not others:
        return
    here = versions()
    with ExitStack() as stack:
        probes = [stack.enter_context(_probe(folder)) for folder in folders]
        asked = [(node, _on(node).remote(folders, probes)) for node in others]
        for node, reference in asked:
            with suppress(TimeoutError):
                _compare(node, here, *pulse.get(reference, ANSWER_SECONDS))


@contextmanager
def _probe(folder: CommittedFiles) -> Iterator[str]:
    """A file in a run folder, which is removed at the end with those that nodes write beside it."""
    name = f".probe-{uuid4().hex}"
    folder.medium.write(f"{name}/asked", b"")
    try:
        yield name
    finally:
        folder.medium.remove(name)


def _on(node: Node) -> Any:
    strategy = NodeAffinitySchedulingStrategy(node.id, soft=False)
    return ray.remote(look).options(num_cpus=0, scheduling_strategy=strategy)


def _compare(node: Node, here: dict[str, str], there: dict[str, str], wrong: list[str]) -> None:
    for name, version in here.items():
        if there.get(name) != version:
            wrong.append(f"has {name} {there.get(name)}, this machine {version}")
    if wrong:
        raise InputError(
            f"the node {node.address} of the cluster {' and '.join(wrong)}: every node needs the "
            "same run folder and the same installation"
        )


def versions() -> dict[str, str]:
    """What a machine runs."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"Python": platform.python_version(), "attnray": code()} | packages


def code() -> str:
    """The version of attnray here, and what its files hold."""
    root = Path(attnray.__file__).parent
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root)} ".encode() + path.read_bytes())
    return f"{attnray.__version__} ({found.hexdigest()[:8]})"


def look(folders: list[CommittedFiles], probes: list[str]) -> tuple[dict[str, str], list[str]]:
    """What the machine that does this runs, and what is wrong with run folders there."""
    wrong = []
    for folder, probe in zip(folders, probes, strict=True):
        try:
            folder.medium.read(f"{probe}/asked")
            folder.medium.write(f"{probe}/{uuid4().hex}", b"")
        except FileNotFoundError:
            wrong.append(f"does not see {folder}")
        except OSError as error:
            wrong.append(f"cannot write to {folder} ({describe(error)})")
    return versions(), wrong
