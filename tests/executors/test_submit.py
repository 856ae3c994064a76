"""`ray job submit` to a real cluster, with its token, against the serial run."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.jobs import ROOT, command, environment, succeed, tables
from tests.builders.processes import end_those_naming

BIN = Path(sys.executable).parent


@pytest.fixture
def cluster() -> Iterator[dict[str, str]]:
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
    size = ["--num-cpus=2", f"--object-store-memory={100 * 2**20}", f"--temp-dir={folder}"]
    start = ["ray", "start", "--head", *ports, *size, "--disable-usage-stats"]
    try:
        subprocess.run(start, env=user, check=True, capture_output=True)
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


def submit(user: dict[str, str], *overrides: str) -> subprocess.CompletedProcess[str]:
    """Submit the main job; on a busy machine the cluster's agent comes late."""
    entry = ["--", "python", "jobs/run.py", *overrides]
    while True:
        done = subprocess.run(
            ["ray", "job", "submit", "--working-dir", str(ROOT), *entry],
            env=user,
            capture_output=True,
            text=True,
            check=False,
        )
        if "No available agent" not in done.stderr:
            return done


def test_a_submitted_job_gives_the_same_bits(cluster: dict[str, str], tmp_path: Path) -> None:
    small = ("corpus.limit=6", "shard.examples=12", "executor.analysers=1")
    succeed("run", "executor=serial", f"run_dir={tmp_path / 'serial'}", *small)
    done = submit(cluster, f"run_dir={tmp_path / 'submitted'}", *small)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "report.html" in done.stdout
    assert tables(tmp_path / "submitted") == tables(tmp_path / "serial")

    # A sweep is one job too.
    models = "model=minilm,minilm-random-1"
    swept = submit(cluster, "-m", models, f"run_dir={tmp_path / 'swept'}", *small)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert str(tmp_path / "swept" / "report.html") in swept.stdout
    (member,) = (tmp_path / "swept" / "runs").glob("minilm-sample-*")
    assert tables(member) == tables(tmp_path / "serial")

    # A driver of its own finds the cluster by RAY_ADDRESS.
    direct = subprocess.run(
        command("run", f"run_dir={tmp_path / 'direct'}", *small),
        env=cluster | {"RAY_ADDRESS": cluster["HEAD_ADDRESS"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert direct.returncode == 0, direct.stderr
    assert tables(tmp_path / "direct") == tables(tmp_path / "serial")

    # A failing status arrives as a failed job, with its line in the log.
    refused = submit(cluster, f"run_dir={tmp_path / 'submitted'}", "store=float32", *small)
    assert refused.returncode == 1
    assert "store.codec was log16 and is float32" in refused.stdout
