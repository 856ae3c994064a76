"""Extract: what the model gives is checked before it is stored."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.builders.jobs import refusal


def test_weights_that_are_no_numbers_end_incomplete(tiny_model: Path, tmp_path: Path) -> None:
    sick = Path(shutil.copytree(tiny_model, tmp_path / "sick"))
    weights = load_file(sick / "model.safetensors")
    name = next(name for name in weights if "layer.1" in name and "query.weight" in name)
    weights[name] = np.full_like(weights[name], 3e38)  # scores overflow
    save_file(weights, sick / "model.safetensors", metadata={"format": "pt"})
    overrides = ("executor=serial", f"model.path={sick}", f"run_dir={tmp_path / 'run'}")
    assert "layer 2" in refusal("run", *overrides, status=1)
    assert not (tmp_path / "run" / "tables").exists()
