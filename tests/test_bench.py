"""The bench: every part once, small; and its end where the results of two sides differ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.jobs import ROOT, environment

SCRIPTS = ROOT / "scripts"
PARTS = {
    "stored/bare",
    "fused/bare",
    "plan",
    "forward/naive",
    "analysis/reference",
    "divergence/log",
    "store",
    "workers",
    "start-up",
}
#: Starts the bench with one side wrong: a function of it gives a little more.
WRONG = """
import sys

sys.path.insert(0, {scripts!r})
import bench
from measures import {module} as module

right = module.{name}


def wrong(*given):
    found = right(*given)
    first = next(iter(found))
    return {{**found, first: found[first] + {more}}}


module.{name} = wrong
sys.exit(bench.main())
"""


def run(*line: str, model: Path) -> subprocess.CompletedProcess[str]:
    """The bench of the tiny model, small."""
    return subprocess.run(
        [sys.executable, *line, "--small", "--set", f"model.path={model}"],
        cwd=ROOT,
        env={**environment(), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


def test_every_part_is_measured(tiny_model: Path, tmp_path: Path) -> None:
    written = tmp_path / "bench.json"
    done = run(str(SCRIPTS / "bench.py"), "--json", str(written), model=tiny_model)
    assert done.returncode == 0, done.stderr
    content = json.loads(written.read_text())
    assert content["rounds"] == 1
    assert {"CPU", "threads", "versions"} <= content["machine"].keys()
    rows = content["rows"]
    assert {row["part"] for row in rows} == PARTS
    for row in rows:
        assert 0 < row["least"] == row["median"] == row["most"], row
        assert row["compared"], row
        assert row["measured"] in done.stdout


@pytest.mark.parametrize(
    ("part", "module", "name", "more"),
    [
        ("stored/bare", "passes", "found_by", "1"),
        ("fused/bare", "passes", "found_in", "1"),
        ("analysis/reference", "reference", "syntax", "1"),
        ("divergence/log", "reference", "divergence", "1e-5"),
    ],
)
def test_a_wrong_side_is_refused(
    part: str, module: str, name: str, more: str, tiny_model: Path
) -> None:
    code = WRONG.format(scripts=str(SCRIPTS), module=module, name=name, more=more)
    done = run("-c", code, "--only", part, model=tiny_model)
    assert done.returncode == 1, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"bench: {part}, small: ")
    assert lines[0].endswith(" differs")
