"""Jobs as processes that are forked from one that has everything imported."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.builders import fork_server


class Forked:
    """The process of a job; as much of `subprocess.Popen` as the tests use."""

    def __init__(
        self,
        server: socket.socket,
        arguments: list[str],
        folder: Path,
        environment: dict[str, str],
        stdout: int,
        stderr: int,
    ) -> None:
        wanted = {"arguments": arguments, "folder": str(folder), "environment": environment}
        message = json.dumps(wanted).encode()
        assert len(message) < fork_server.LONGEST
        reading, writing = os.pipe()
        socket.send_fds(server, [message], [stdout, stderr, writing])
        os.close(writing)
        self._report = os.fdopen(reading)
        self.pid = int(self._report.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The status, None while the process runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The status, once the process has ended."""
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], timeout)[0]:
            with self._report:
                self.returncode = int(self._report.readline())
        return self.returncode


def serve(environment: dict[str, str]) -> socket.socket:
    """Start the server of an environment, which ends with this process; gives the way to it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, fork_server.__file__, str(its.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment,
        pass_fds=[its.fileno()],
        start_new_session=True,
    )
    its.close()

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours
