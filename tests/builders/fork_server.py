"""A process that has imported what jobs import, and forks one for each: they start at once.

Started by `tests.builders.forked` as a script, with the socket that it takes requests from. It
computes nothing and has no thread of Python's, so that what it forks is like a fresh process;
the threads that OpenBLAS and jemalloc start as they are imported follow a fork.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

JOBS = Path(__file__).resolve().parents[2] / "jobs"
#: What the jobs of most tests import sooner or later, those that they import late behind.
IMPORTED = (
    "attnray.cli.compose",
    "attnray.cli.jobs",
    "attnray.cli.sweep",
    "attnray.compare.job",
    "attnray.executors.running",
    "attnray.executors.serial",
    "matplotlib.backends.backend_svg",
    "sklearn.manifold",
    "tokenizers",
    "transformers.models.bert.modeling_bert",
    "zarrs",
)
#: A request fits in one message, which is never cut.
LONGEST = 1 << 16


def request(channel: socket.socket) -> None:
    """Wait for requests; returns in the process of a job, once for each."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, LONGEST, 3)
        if not message:  # the tests have ended
            os._exit(0)
        if not os.fork():
            channel.close()
            keep(json.loads(message), *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def keep(wanted: dict[str, Any], stdout: int, stderr: int, report: int) -> None:
    """Fork a job, tell its id and in the end its status; returns in the job."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if job := os.fork():
        os.write(report, f"{job}\n".encode())
        _, status = os.waitpid(job, 0)
        os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.setsid()
    for descriptor, standard in ((stdout, 1), (stderr, 2)):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.close(report)
    os.chdir(wanted["folder"])
    os.environ.update(wanted["environment"])
    sys.argv = wanted["arguments"]


if __name__ == "__main__":
    sys.path[0] = str(JOBS)
    for name in IMPORTED:
        import_module(name)
    assert threading.active_count() == 1
    gc.freeze()
    # Nobody waits for the keepers; whoever reads their reports knows when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    request(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_path(sys.argv[0], run_name="__main__")
