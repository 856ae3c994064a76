"""The simulation of a large run: the real driver over many shards, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.jobs import ROOT, SMALL, environment

SHARDS, GPUS = 200, 4


@pytest.mark.slow
def test_every_shard_is_counted_once(tiny_model: Path, tmp_path: Path) -> None:
    """The script ends with an error where a count is not so many times that of a copy."""
    script, found = ROOT / "scripts" / "simulate_scale.py", tmp_path / "found.json"
    options = ("--quick", f"--shards={SHARDS}", f"--gpus={GPUS}", f"--json={found}")
    overrides = (f"model.path={tiny_model}", *SMALL, "shard.examples=24")
    command = [sys.executable, str(script), *options, f"--scratch={tmp_path}", *overrides]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content = json.loads(found.read_text())
    (run,) = content["runs"]
    assert run["shards"] == run["tasks"] == 10 * run["copies"] == SHARDS
    assert run["depth"] == 8
    assert run["most_flying"] == 2 * GPUS
    assert 0.5 < run["gpus_busy"] <= 1
    assert all(each > 0 for each in run["milliseconds"].values())
    assert run["megabytes"].keys() == {"start", "manifest", "process", "reduce"}
    assert not (tmp_path / f"shards-{SHARDS}").exists()
