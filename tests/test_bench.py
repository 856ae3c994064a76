"""The bench: every part once, small; and its end where the results of two sides differ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
#: One process where the part is not about Ray: it takes seconds to start.
SERIAL = "executor=serial"
#: Starts the bench again and again, each time with one side wrong: a function gives a little more.
WRONG = """
import json, sys
from importlib import import_module
from unittest import mock

sys.path.insert(0, {scripts!r})
import bench

options = sys.argv[1:]
for part, module, name, more in json.loads({cases!r}):
    module = import_module("measures." + module)
    right = getattr(module, name)

    def wrong(*given):
        found = right(*given)
        first = next(iter(found))
        return {{**found, first: found[first] + more}}

    sys.argv[1:] = [*options, "--only", part]
    with mock.patch.object(module, name, wrong):
        assert bench.main() == 1
"""
#: The parts that have two sides, with a function of one of them, and how much more it is to give.
CASES = [
    ("stored/bare", "passes", "found_by", 1),
    ("fused/bare", "passes", "found_in", 1),
    ("analysis/reference", "reference", "syntax", 1),
    ("divergence/log", "reference", "divergence", 1e-5),
]


def run(*line: str, model: Path) -> subprocess.CompletedProcess[str]:
    """The bench of the tiny model, small."""
    return subprocess.run(
        [sys.executable, *line, "--small", "--set", f"model.path={model}", SERIAL],
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


def test_a_wrong_side_is_refused(tiny_model: Path) -> None:
    code = WRONG.format(scripts=str(SCRIPTS), cases=json.dumps(CASES))
    done = run("-c", code, model=tiny_model)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(CASES), done.stderr
    for line, (part, *_) in zip(lines, CASES, strict=True):
        assert line.startswith(f"bench: {part}, small: ")
        assert line.endswith(" differs")
