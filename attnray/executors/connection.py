"""The connection to Ray: to a cluster that is there, or one of our own on this machine."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, ClassVar

import attnray
from attnray.errors import IncompleteRun, InputError, describe
from attnray.executors.cluster import Cluster, given_address

# Ray reads these as it is imported. Without GPUs it is to leave CUDA_VISIBLE_DEVICES alone; signals
# are ours, and so is what is said of tasks. A cluster of our own asks for a token, as is Ray's
# default, but without a warning that it does; nothing of it listens beyond this machine, nor shows
# metrics.
SETTINGS = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
}
OWN_SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_enable_metrics_collection": "0",
}
for name, value in (SETTINGS if given_address() else SETTINGS | OWN_SETTINGS).items():
    os.environ.setdefault(name, value)

import ray as ray  # noqa: E402 (others have it from here, with the settings above)
from ray.util.scheduling_strategies import (  # noqa: E402
    NodeAffinitySchedulingStrategy as NodeAffinitySchedulingStrategy,
)

#: How long a cluster of our own may take to end by itself.
END_SECONDS = 10


class Connection:
    """A connection to Ray for the time of a run; a cluster of our own ends with it.

    It may be open before: a plan leaves it open for the run that follows. Its end takes a while,
    in which tables can be made.
    """

    # What Ray starts ends with the thread that did: here it is one that stays.
    _thread: ClassVar[ThreadPoolExecutor] = ThreadPoolExecutor(1, "ray")
    _opening: ClassVar[threading.Lock] = threading.Lock()
    _closing: ClassVar[Future[None] | None] = None
    _ours: ClassVar[bool] = False
    _cluster: ClassVar[Cluster | None] = None

    def __enter__(self) -> None:
        self.open()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self._ours:
            type(self)._ours = False
            # What tells of lost tasks refers to itself, and to them: let go of as Ray ends, it ends
            # this process.
            gc.collect()
            type(self)._closing = self._thread.submit(self._close)
            if error:  # what is left on its way must not be let go of as Ray ends
                self._closed()

    @classmethod
    def is_open(cls) -> bool:
        """Whether this process is connected, and not about to end that."""
        closing = cls._closing
        cls._closed()
        if closing:
            wait([closing])  # Ray ends a process that uses it meanwhile
        return ray.is_initialized()

    @classmethod
    def open(cls) -> None:
        """Connect, unless this process is connected: a plan may, and what follows it.

        Raises:
            InputError: there is no such cluster, or it does not let this process in.
            IncompleteRun: nobody answers there, or a cluster of our own does not start.
        """
        with cls._opening:
            if not cls.is_open():
                cls._thread.submit(cls._open).result()
                cls._ours = True

    @classmethod
    def close(cls) -> None:
        """Disconnect now; a cluster of our own ends."""
        cls._ours = False
        cls._thread.submit(cls._close).result()

    @classmethod
    def lost(cls) -> None:
        """The cluster does not answer: it is not taken leave of, and one of our own ends."""
        cls._ours = False
        if cls._cluster:
            cls._cluster.end()

    @classmethod
    def _open(cls) -> None:
        address = given_address()
        if address:
            from attnray.executors.address import checked

            options = _given(checked(address))
        else:
            cls._cluster = Cluster()
            options = cls._cluster.options()
        logging.getLogger("ray").setLevel(logging.ERROR)
        try:
            ray.init(
                **options,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
            )
        except Exception as error:
            cls._close()
            if "Version mismatch" in str(error):  # of Python: Ray's own is checked
                told = " ".join(str(error).split())
                raise InputError(f"RAY_ADDRESS={address}: {told}: use the same") from error
            where = f"the cluster at {address}" if address else "Ray on this machine"
            raise IncompleteRun(
                f"{where} did not start to work: {describe(error)}; the same command tries again"
            ) from error

    @classmethod
    def _close(cls) -> None:
        ray.shutdown()
        if cls._cluster:
            cls._cluster.end()
            cls._cluster = None

    @classmethod
    def _closed(cls) -> None:
        """Wait for what is about to end."""
        closing, cls._closing = cls._closing, None
        if closing and wait([closing], END_SECONDS).not_done and cls._cluster:
            cls._cluster.end()  # after which nothing is left to wait for


atexit.register(Connection._close)


def _given(address: str) -> dict[str, Any]:
    """A running cluster. A submitted job has its code there; else ours is sent along."""
    if in_submitted_job():
        return {"address": address}
    package = str(Path(attnray.__file__).parent)
    return {"address": address, "runtime_env": {"py_modules": [package]}}


def in_submitted_job() -> bool:
    """Whether this process was started by `ray job submit`."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
