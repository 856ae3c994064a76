"""A cluster of Ray as others start one: with a token, on ports of its own, of one node or more."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.builders.jobs import environment
from tests.builders.processes import end_those_naming

BIN = Path(sys.executable).parent
#: Names a node in the environment of its processes.
NODE = "ATTNRAY_NODE"
#: What every node has.
SIZE = ("--num-cpus=2", f"--object-store-memory={100 * 2**20}", "--disable-usage-stats")


@contextmanager
def head_node() -> Iterator[dict[str, str]]:
    """The environment of a user of a fresh one-node cluster, which ends by its processes' ids."""
    # Ray's socket paths must be short: pytest's own folder is too long.
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    user = environment() | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    head, dashboard, client = free_port(), free_port(), free_port()
    # The agent takes jobs: where another cluster has its usual port, it would take none.
    ports = [f"--port={head}", f"--dashboard-port={dashboard}", "--dashboard-agent-listen-port=0"]
    ports.append(f"--ray-client-server-port={client}")
    start = ["ray", "start", "--head", *ports, *SIZE, f"--temp-dir={folder}"]
    try:
        start_ray(start, user)
        yield user | {
            "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}",
            "HEAD_ADDRESS": f"127.0.0.1:{head}",
        }
    finally:
        end_those_naming(folder)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def add_node(user: dict[str, str], name: str = "", before: str = "") -> None:
    """Start another node of a cluster, which sees files as this command of root leaves them."""
    node = ["ray", "start", f"--address={user['HEAD_ADDRESS']}", *SIZE]
    line = ["unshare", "-m", "sh", "-c", f"{before} && exec {' '.join(node)}"] if before else node
    start_ray(line, user | {NODE: name})


def start_ray(line: list[str], variables: dict[str, str]) -> None:
    """Start Ray; where the machine is so busy that it gives up, again."""
    for _ in range(3):
        done = subprocess.run(line, env=variables, capture_output=True, text=True)
        if done.returncode == 0:
            return
    raise AssertionError(done.stdout + done.stderr)
