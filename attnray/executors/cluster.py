"""A cluster of our own on this machine: seen by nobody else, and gone with this process."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from attnray.errors import InputError
from attnray.executors import guard

#: The job's arrays travel by the run folder, so Ray's store can be small.
OBJECT_STORE_BYTES = 100 * 2**20
#: It starts with so many bytes for its files; with fewer it waits, and fails without a reason.
ROOM = 16 * 2**20
#: Ray looks every two seconds whether it still answers, and waits two for that, three times.
HEALTH = {
    "health_check_initial_delay_ms": 2000,
    "health_check_period_ms": 2000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 3,
}
#: A socket's path has at most so many bytes, of which these are Ray's.
SOCKET_BYTES = 107
BELOW = "/attnray-12345678/ray/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"


def given_address() -> str | None:
    """The address of the cluster that RAY_ADDRESS names; None where it is to be one of our own."""
    address = os.environ.get("RAY_ADDRESS", "").strip()
    return None if address in ("", "local") else address


class Cluster:
    """Where a cluster of our own has its files, and what ends it."""

    def __init__(self) -> None:
        # Ray lets everyone into the folder that it is given: it lies in one that does not.
        self._folder = Path(tempfile.mkdtemp(prefix="attnray-", dir=_short())).resolve()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        os.environ[guard.NAMED] = str(self._folder)
        # Else Ray writes a token for all of this user's clusters, where others can read it.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

    def options(self) -> dict[str, Any]:
        """What Ray is started with: a CPU for an extractor and one for an analysis at the least."""
        return {
            "address": "local",
            "num_cpus": own_cpus(),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_temp_dir": str(self._folder / "ray"),
            "_node_ip_address": "127.0.0.1",
            "_system_config": HEALTH,
        }

    def end(self) -> None:
        """End every process of the cluster at once, and remove its files."""
        self._guard.communicate()


def own_resources(device: str) -> dict[str, float]:
    """What a cluster of our own would have."""
    if device == "cpu":
        return {"CPU": own_cpus(), "GPU": 0}
    import torch

    return {"CPU": own_cpus(), "GPU": torch.cuda.device_count()}


def own_cpus() -> int:
    """The CPUs of a cluster of our own."""
    return max(2, _cores())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _short() -> str:
    """The folder of temporary files, or /tmp where that will not do.

    Raises:
        InputError: neither can be used.
        OSError: there is no room.
    """
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError as error:
        raise InputError(f"{error.strerror}: set TMPDIR to a folder that can be written") from error
    longest = SOCKET_BYTES - len(BELOW)
    short = [each for each in (folder, "/tmp") if len(os.path.realpath(each).encode()) <= longest]
    usable = [each for each in short if os.access(each, os.W_OK)]
    for each in usable:
        if shutil.disk_usage(each).free >= ROOM:
            return each
    if usable:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), usable[0])
    raise InputError(
        f"{folder}: too long a path for the sockets of Ray, which takes {longest} characters: "
        "set TMPDIR to a folder with a shorter one"
    )
