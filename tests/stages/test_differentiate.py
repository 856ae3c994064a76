"""Differentiate: importance, where the checkpoint has a masked-LM head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from safetensors.numpy import load_file, save_file

from attnray.config import ModelConfig
from attnray.model.masked_lm import MaskedLM
from attnray.model.source import locate
from attnray.reading import RunReader
from tests.builders import oracle
from tests.builders.cases import assert_same_rows, case_of
from tests.builders.jobs import read_table, refusal, succeed
from tests.builders.masked_lm import saved


def test_importance_is_that_of_the_slow_way(
    paper: tuple[Path, str], paper_settings: tuple[str, ...]
) -> None:
    """The same gradients of each single example, summed up by plain loops."""
    path = paper_settings[1].partition("=")[2]
    model = MaskedLM(locate(ModelConfig(path=path), 7), "cpu")
    cases = []
    for example in RunReader(str(paper[0]), role="patterns"):
        layers = model.gradients([example.pieces], [example.types])
        maps = [layer[0].double().numpy() for layer in layers]
        cases.append(case_of(example, np.stack(maps)))
    found = read_table(paper[0], "importance").filter(pc.field("model") == "lm")
    expected = oracle.importance(cases)
    largest = max(row["value"] for row in expected)
    assert largest > 0
    # Shares of the largest: an example alone and in its batch differ in float32's last bits.
    for row in expected:
        row["value"] /= largest
    shares = pa.array(found["value"].to_numpy() / largest)
    found = found.set_column(found.column_names.index("value"), "value", shares)
    assert_same_rows(found, expected, ("layer", "head", "target"))


def test_gradients_that_are_no_numbers_are_not_kept(tiny_model: Path, tmp_path: Path) -> None:
    sick = saved(tiny_model, tmp_path / "sick")
    weights = load_file(sick / "model.safetensors")
    name = "cls.predictions.transform.LayerNorm.weight"
    weights[name] = np.full_like(weights[name], 3e38)  # logits overflow
    save_file(weights, sick / "model.safetensors", metadata={"format": "pt"})
    run_dir = tmp_path / "run"
    settings = ("executor=serial", f"model.path={sick}", "corpus.limit=1", f"run_dir={run_dir}")
    message = refusal("run", "metrics=[patterns,importance]", *settings, status=1)
    assert "gradients that are no numbers" in message
    assert not list(run_dir.glob("done/*importance*/*"))


def test_a_model_without_a_masked_lm_head_says_so(tiny_model: Path, tmp_path: Path) -> None:
    settings = (f"model.path={tiny_model}", "corpus.limit=3", "executor=serial")
    asked = "metrics=[patterns,importance]"
    printed = succeed("run", asked, f"run_dir={tmp_path / 'run'}", *settings)
    note = "importance was left out: the checkpoint has no masked-LM head"
    assert note in printed
    assert note in (tmp_path / "run" / "report.html").read_text()
