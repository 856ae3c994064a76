"""The machine refuses any access to files, at any moment: a line and a status, and it goes on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import product
from pathlib import Path

from tests.builders.jobs import ROOT, environment
from tests.builders.trial import chosen
from tests.builders.walk import FAULTS

#: Shares of a run, one drawn from each tenth.
MOMENTS = [random.Random(part).uniform(part, part + 1) / 10 for part in range(10)]
#: Of a small run.
SMALL = ("corpus.limit=2", "metrics=[patterns,syntax]", "shard.examples=12", "batch.tokens=160")
#: What starting again does not help against; what is removed while it is read is missed as well.
LASTING = {"read-only", "forbidden", "removed"}


def test_every_way_out(tiny_model: Path, tmp_path: Path) -> None:
    cases = chosen([*product(FAULTS, MOMENTS)], 4)
    run_dir = tmp_path / "run"
    settings = ("executor=serial", f"run_dir={run_dir}", f"model.path={tiny_model}", *SMALL)
    folders = [str(run_dir), str(tiny_model)]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.builders.walk",
            *map(json.dumps, (folders, cases)),
            *settings,
        ],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(cases), done.stderr
    for each in found:
        check(each)


def check(found: dict[str, object]) -> None:
    """What was refused was told, and did no harm; or was not needed."""
    assert found["same"], found
    said = str(found["said"])
    lines = [line for line in said.splitlines() if line.startswith("attnray: ")]
    assert len(lines) == (found["status"] != 0), found
    assert "Traceback" not in said
    assert "mistake in attnray" not in said, found
    if found["status"] == 2:
        assert found["fault"] in LASTING, found
        assert "/" in lines[0], found
