"""The connection to Ray: to a cluster that is there, or one of our own on this machine."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any, ClassVar

# Ray reads these as it is imported. Without GPUs it is to leave CUDA_VISIBLE_DEVICES alone; a
# cluster of our own asks for a token, as is Ray's default, but without a warning that it does.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
if "RAY_ADDRESS" not in os.environ:
    os.environ.setdefault("RAY_AUTH_MODE", "token")

import ray as ray  # others have it from here, with the settings above

import attnray

#: The job's arrays travel by the run folder, so Ray's store can be small.
OBJECT_STORE_BYTES = 100 * 2**20


class Connection:
    """A connection to Ray for the time of a run; a cluster of our own ends with it.

    It may be open before: a plan leaves it open for the run that follows. Its end takes a while,
    in which tables can be made.
    """

    _ours: ClassVar[bool] = False
    _opening: ClassVar[threading.Lock] = threading.Lock()
    _closing: ClassVar[threading.Thread | None] = None

    def __enter__(self) -> None:
        self.open()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self._ours:
            type(self)._ours = False
            closing = threading.Thread(target=ray.shutdown, name="end of the cluster")
            closing.start()
            type(self)._closing = closing
            if error:  # what is left on its way must not be let go of as Ray ends
                closing.join()

    @classmethod
    def is_open(cls) -> bool:
        """Whether this process is connected, and not about to end that."""
        if cls._closing:
            cls._closing.join()
            cls._closing = None
        return ray.is_initialized()

    @classmethod
    def open(cls) -> None:
        """Connect, unless this process is connected: a plan may, and what follows it."""
        with cls._opening:
            if cls.is_open():
                return
            address = os.environ.get("RAY_ADDRESS")
            ray.init(
                **(_given(address) if address else _own()),
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
            )
            cls._ours = True


def _own() -> dict[str, Any]:
    """A local cluster, with a CPU for an extractor and one for an analysis at the least."""
    return {
        "address": "local",
        "num_cpus": max(2, _cores()),
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _given(address: str) -> dict[str, Any]:
    """A running cluster. A submitted job has its code there; else ours is sent along."""
    if in_submitted_job():
        return {"address": address}
    package = str(Path(attnray.__file__).parent)
    return {"address": address, "runtime_env": {"py_modules": [package]}}


def in_submitted_job() -> bool:
    """Whether this process was started by `ray job submit`."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
