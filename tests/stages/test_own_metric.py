"""The metric of docs/own-metric.md: as written it is what numpy gives, wherever it is measured."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import attnray
from attnray.config import planned, typed
from attnray.stages.planned import existing
from attnray.stages.verify import broken
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from tests.builders import oracle
from tests.builders.cases import assert_same_rows
from tests.builders.jobs import (
    ROOT,
    SMALL,
    environment,
    markers,
    read_table,
    run_job,
    succeed,
)
from tests.builders.once import Once
from tests.builders.pages import Page

PAGE = (ROOT / "docs" / "own-metric.md").read_text(encoding="utf-8")
(WRITTEN,) = re.findall(r"```python\n(# my_metrics\.py\n.*?)```", PAGE, re.S)
METRICS = "metrics=[patterns,my_metrics.py:Commas]"
#: Weights of another batch differ by a few roundings.
CLOSE = 2e-6


@pytest.fixture(scope="module")
def settings(tiny_model: Path) -> tuple[str, ...]:
    return (f"model.path={tiny_model}", "corpus.limit=6", METRICS, *SMALL)


@pytest.fixture(scope="module")
def folder(settings: tuple[str, ...], once: Once) -> Path:
    """A folder with the file and a run of it."""

    def make(folder: Path) -> None:
        (folder / "my_metrics.py").write_text(WRITTEN)
        run = ("executor=serial", "store=float32", "run_dir=run", *settings)
        assert "\ncommas: most " in "\n" + succeed("run", *run, cwd=folder)

    return once("own-metric", make)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copied"))


def test_it_has_ten_lines() -> None:
    assert len([line for line in WRITTEN.splitlines() if line and line[0] != "#"]) <= 10


def test_its_table_is_what_numpy_gives(folder: Path) -> None:
    value: dict[int, np.ndarray] = {}
    weight: dict[int, int] = {}
    run = attnray.open(folder / "run")
    for place in range(len(run)):
        example, attention = run[place], run[place].attention()
        commas = np.flatnonzero([token == "," for token in example.tokens])
        value.setdefault(example.unit, np.zeros(attention.shape[:2]))
        weight.setdefault(example.unit, 0)
        if commas.size:
            value[example.unit] += attention[..., commas].sum(-1).mean(-1)
            weight[example.unit] += 1
    assert 0 < sum(weight.values()) < len(run)
    rows = []
    for layer, head in np.ndindex(attention.shape[:2]):
        sums = [float(each[layer, head]) for each in value.values()]
        low, high = oracle.intervals(sums, [*weight.values()])
        used = sum(weight.values())
        row = {"layer": layer + 1, "head": head + 1, "value": float(sum(sums)) / used}
        rows.append({**row, "ci_low": low, "ci_high": high, "examples": used})
    assert_same_rows(run.table("commas"), rows, ("layer", "head"))
    assert sorted(run.tables) == ["commas", "corpus", "heads", "patterns"]


def test_the_report_shows_it(folder: Path) -> None:
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    rows = Page(page).rows
    assert ["Head", "Value", "95% interval", "Examples"] in rows
    table = read_table(folder / "run", "commas").sort_by([("value", "descending")]).to_pylist()
    first = f"{table[0]['layer']}-{table[0]['head']}"
    assert [first, f"{table[0]['value']:.3g}"] in [row[:2] for row in rows]
    assert "tables/commas.csv" in page
    assert (folder / "run" / "tables" / "commas.csv").is_file()
    assert (folder / "run" / "figures" / "own_commas.svg").is_file()


def test_fused_it_is_the_same(folder: Path, settings: tuple[str, ...], tmp_path: Path) -> None:
    run = ("executor=serial", "store=none", f"run_dir={tmp_path / 'fused'}", *settings)
    succeed("run", *run, cwd=folder)
    one, other = (read_table(path, "commas") for path in (folder / "run", tmp_path / "fused"))
    assert one.drop_columns(["value", "ci_low", "ci_high"]) == other.drop_columns(
        ["value", "ci_low", "ci_high"]
    )
    for column in ("value", "ci_low", "ci_high"):
        assert np.allclose(one[column], other[column], rtol=0, atol=CLOSE)


def test_an_edit_has_it_measured_again_and_nothing_else(
    copied: Path, settings: tuple[str, ...]
) -> None:
    run = ("run", "executor=serial", "store=float32", "run_dir=run", *settings)
    before = {name: markers(copied / "run", f"analyse-{name}") for name in ("patterns", "commas")}
    table = read_table(copied / "run", "commas")
    succeed(*run, cwd=copied)
    assert markers(copied / "run", "analyse-commas") == before["commas"]
    (copied / "my_metrics.py").write_text(WRITTEN.replace("mean(axis=-1)", "min(axis=-1)"))
    succeed(*run, cwd=copied)
    assert markers(copied / "run", "analyse-patterns") == before["patterns"]
    after = markers(copied / "run", "analyse-commas")
    assert after.keys() == before["commas"].keys()
    assert all(after[name] != time for name, time in before["commas"].items())
    assert read_table(copied / "run", "commas") != table


def test_no_code_runs_that_the_command_line_does_not_name(copied: Path) -> None:
    table = read_table(copied / "run", "commas")
    (copied / "my_metrics.py").write_text("raise SystemExit('run')")
    for job in ("report", "analyse"):
        assert "note: commas is left as it is" in succeed(job, "run_dir=run", cwd=copied)
    succeed("status", "run", cwd=copied)
    assert attnray.open(copied / "run").table("commas") == table
    named = run_job("report", "run_dir=run", METRICS, cwd=copied)
    assert named.returncode != 0


def test_its_files_are_verified_without_its_code(copied: Path) -> None:
    (copied / "my_metrics.py").unlink()
    assert "whole" in succeed("verify", "run", cwd=copied)
    partial = copied / "run" / "partials" / "commas" / "00000.parquet"
    partial.write_bytes(partial.read_bytes()[:-1])
    damaged = run_job("verify", "run", cwd=copied)
    assert damaged.returncode == 1
    assert "partials/commas/00000.parquet" in damaged.stderr
    repaired = run_job("verify", "--repair", "run", cwd=copied)
    assert repaired.returncode == 1
    assert "where it names the code of commas too" in repaired.stderr
    assert not partial.exists()


def planned_with(folder: RunFolder, *metrics: str) -> Manifest:
    """The plan of a run, as if it had been made with these metrics."""
    manifest = Manifest.read(folder)
    assert manifest is not None
    return replace(manifest, config={**manifest.config, "metrics": [*metrics]})


def test_a_path_in_place_of_its_name_leads_nowhere(copied: Path) -> None:
    (copied / "run" / "done" / "analyse-x").mkdir()
    (copied / "mine").mkdir()
    (copied / "mine" / "00000.json").write_text("{}")
    folder = RunFolder(copied / "run")
    manifest = planned_with(folder, "patterns", "x/../../../mine")
    assert [*broken(existing(folder, typed(planned(manifest.config)), manifest))] == []


def test_a_stage_on_a_run_of_it_alone_asks_for_its_code(copied: Path) -> None:
    folder = RunFolder(copied / "run")
    planned_with(folder, "commas").write(folder)
    refused = run_job("report", "run_dir=run", cwd=copied)
    assert refused.returncode == 2
    assert "only commas was measured: name its code in metrics=[…]" in refused.stderr


def test_what_fails_ends_the_run_in_one_line(copied: Path, settings: tuple[str, ...]) -> None:
    (copied / "my_metrics.py").write_text(WRITTEN.replace("any(commas)", "1 / any(commas)"))
    failed = run_job(
        "run", "executor=serial", "store=float32", "run_dir=run", *settings, cwd=copied
    )
    assert failed.returncode == 2
    (told,) = [line for line in failed.stderr.splitlines() if line.startswith("attnray: ")]
    where = r"attnray: my_metrics\.py:Commas, example \d+ \(document [\w-]+\)"
    assert re.fullmatch(rf"{where}: ZeroDivisionError: .* \(line 10\)", told)
    assert "Traceback" not in failed.stderr


def test_it_goes_to_other_processes_by_itself(folder: Path) -> None:
    """Ray sends tasks so; the one that takes it has no such file."""
    send = (
        "import sys\nfrom ray import cloudpickle\n"
        "from attnray.metrics.loading import loaded\nfrom attnray.metrics.registry import METRICS\n"
        "(name,) = loaded(['my_metrics.py:Commas'])\n"
        "sys.stdout.buffer.write(cloudpickle.dumps(METRICS[name](None)))"
    )
    take = (
        "import pickle, sys\nmetric = pickle.loads(sys.stdin.buffer.read())\n"
        "import numpy as np\nclass example: tokens = ['a', ',']\n"
        "print(metric.said, *metric.measure(example, np.full((1, 1, 2, 2), 0.25)))"
    )
    user = environment() | {"PYTHONPATH": str(ROOT)}
    sent = subprocess.run(
        [sys.executable, "-c", send], cwd=folder, env=user, capture_output=True, check=True
    )
    taken = subprocess.run(
        [sys.executable, "-c", take],
        cwd="/",
        env=user,
        input=sent.stdout,
        capture_output=True,
        check=True,
    )
    assert taken.stdout.decode() == "my_metrics.py:Commas [[0.25]] True\n"
