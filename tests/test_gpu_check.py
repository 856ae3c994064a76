"""`scripts/gpu_check.py`, held against itself where there is no GPU: it runs, and finds faults."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.builders.jobs import ENVIRONMENT, ROOT

SCRIPT = ROOT / "scripts" / "gpu_check.py"

pytestmark = pytest.mark.slow


def test_a_cpu_gives_what_it_gives(tmp_path: Path) -> None:
    written = tmp_path / "found.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--device", "cpu", "--quick", "--json", str(written)],
        cwd=ROOT,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "correctness: equal" in done.stdout
    found = json.loads(written.read_text())
    assert found["faults"] == []
    (differences,) = {json.dumps(each) for each in found["differences"].values()}
    tables = json.loads(differences)
    assert {"patterns", "divergence", "syntax_best", "coreference_best"} <= tables.keys()
    assert set(tables.values()) == {0}
    (timing,) = found["timings"]
    assert {"bare", "fused, usual metrics", "stored, log16"} <= timing["examples_a_second"].keys()
    assert min(timing["examples_a_second"].values()) > 0


@pytest.fixture(scope="module")
def gpu_check() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("gpu_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu_check"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def test_a_decision_that_differs_is_a_fault_unless_it_is_a_near_tie(
    gpu_check: ModuleType, tmp_path: Path
) -> None:
    examples = gpu_check.planned([12, 9], 64)
    model = gpu_check.checkpoint(tmp_path / "model", quick=True)
    cpu = torch.device("cpu")
    ours = gpu_check.passed(tmp_path / "run", model, cpu, examples, "stored")
    for metric in gpu_check.PREDICTORS:
        unlike, far, count = gpu_check.decisions(ours, ours, metric, examples)
        assert (unlike, far) == (0, 0)
        cases = ours.cases[metric]
        bits = [bytes([each[0] ^ 1, *each[1:]]) for each in cases["right"].to_pylist()]
        column = pa.array(bits, cases["right"].type)
        place = cases.schema.get_field_index("right")
        flipped = cases.set_column(place, "right", column)
        other = replace(ours, cases={**ours.cases, metric: flipped})
        unlike, far, _ = gpu_check.decisions(ours, other, metric, examples)
        assert 0 < far <= unlike == len(cases) < count


def test_the_largest_difference_of_tables_is_found(gpu_check: ModuleType) -> None:
    ours = {"patterns": pa.table({"value": [0.5, None, 0.25]}), "syntax": pa.table({"total": [7]})}
    theirs = {**ours, "patterns": pa.table({"value": [0.5, None, 0.5]})}
    assert gpu_check.differences(ours, theirs, exact=False) == {"patterns": 0.25}
    assert gpu_check.differences(ours, ours, exact=True) == {"patterns": 0, "syntax": 0}
    fewer = {**ours, "syntax": pa.table({"total": [4]})}
    assert gpu_check.differences(ours, fewer, exact=True)["syntax"] == 3
    more = {**ours, "patterns": pa.table({"value": [0.5, 0.1, 0.25]})}
    assert gpu_check.differences(ours, more, exact=True)["patterns"] == np.inf
