"""Run folders of every released version are read, or refused with what to do."""

from __future__ import annotations

import re
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

import attnray
from attnray.config import planned, typed
from attnray.errors import InputError
from attnray.stages.verify import broken
from attnray.store.files import sealed
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from attnray.store.run import Run
from tests.builders.jobs import ROOT

#: Runs over two sentences, `she saw it` and `it saw her`; but for their pages.
RUNS = {path.stem: path for path in sorted((ROOT / "tests" / "released").glob("*.zip"))}


def test_there_is_a_run_of_each_released_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {*RUNS} == {*re.findall(r"^## ([\d.]+)$", changes, re.M)}


@pytest.fixture(params=RUNS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    with ZipFile(RUNS[request.param]) as file:
        file.extractall(tmp_path)
    return RunFolder(tmp_path)


def test_it_is_read(folder: RunFolder) -> None:
    run = attnray.open(str(folder))
    assert [each.words for each in run.document("one")] == [
        ["she", "saw", "it"],
        ["it", "saw", "her"],
    ]
    weights = run[1].attention()
    assert weights.shape[:2] == (2, 3)
    assert np.allclose(weights.sum(-1), 1, atol=0.01)
    assert len(run.cases("syntax", layer=1, head=1)) == 4
    assert "sentence" in run.table("corpus")["kind"].to_pylist()
    rows = run.table("syntax_baselines").to_pylist()
    assert {row["total"] for row in rows if row["relation"] == "all"} == {4}


def test_its_bytes_are_those_that_were_written(folder: RunFolder) -> None:
    manifest = Manifest.read(folder)
    assert manifest is not None
    found = broken(Run(folder, typed(planned(manifest.config)), manifest))
    assert [each.name for each in found] == ["done/report/00000.json"]  # it has no page


def test_a_plan_that_is_not_what_was_written_is_damaged(folder: RunFolder) -> None:
    path = Path(folder.root, "manifest.json")
    whole = path.read_text()
    for key in ("run_dir", "cells", "roles", "examples", "max_tokens"):
        path.write_text(whole.replace(f'"{key}"', f'"x{key}"'))
        with pytest.raises(InputError, match=r"manifest\.json: damaged .*: it is planned again"):
            Manifest.read(folder)


def test_another_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(sealed({"format": 99}))
    with pytest.raises(InputError, match=r"format 99, where .*: use the version that made it"):
        Manifest.read(RunFolder(tmp_path))
