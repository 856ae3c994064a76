"""`ray job submit` to a real cluster, with its token, against the serial run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.cluster import head_node
from tests.builders.jobs import ROOT, SMALL, succeed, tables


@pytest.fixture
def cluster() -> Iterator[dict[str, str]]:
    """The environment of a user of a fresh one-node cluster."""
    with head_node() as user:
        yield user


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


def test_a_submitted_job_gives_the_same_bits(
    cluster: dict[str, str], tiny_model: Path, tmp_path: Path
) -> None:
    small = ("corpus.limit=3", "metrics=[patterns,syntax]", "executor.analysers=1", *SMALL)
    one = f"model={tiny_model}"
    succeed("run", "executor=serial", f"run_dir={tmp_path / 'serial'}", one, *small)

    # A sweep is one job.
    swept = submit(cluster, "-m", f"{one},{tiny_model}-random-1", f"run_dir={tmp_path}", *small)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert str(tmp_path / "report.html") in swept.stdout
    (member,) = (tmp_path / "runs").glob("tiny-sample-*")
    assert tables(member) == tables(tmp_path / "serial")

    # A failing status arrives as a failed job, with its line in the log.
    refused = submit(cluster, f"run_dir={member}", "store=float32", one, *small)
    assert refused.returncode == 1
    assert "store.codec was log16 and is float32" in refused.stdout
