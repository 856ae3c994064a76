"""Differentiate: importance, where the checkpoint has a masked-LM head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from attnray.config import ModelConfig
from attnray.model.masked_lm import MaskedLM
from attnray.model.source import locate
from attnray.reading import RunReader
from tests.builders import oracle
from tests.builders.cases import assert_same_rows, case_of
from tests.builders.jobs import read_table, succeed


def test_importance_is_that_of_the_slow_way(
    paper: tuple[Path, str], paper_settings: tuple[str, ...]
) -> None:
    """The same gradients of each single example, summed up by plain loops."""
    path = paper_settings[1].partition("=")[2]
    model = MaskedLM(locate(ModelConfig(path=path), 7), "cpu")
    cases = []
    for stored in RunReader(str(paper[0]), role="patterns"):  # type: ignore[attr-defined]
        example = stored.example
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


def test_a_model_without_a_masked_lm_head_says_so(tiny_model: Path, tmp_path: Path) -> None:
    settings = (f"model.path={tiny_model}", "corpus.limit=3", "executor=serial")
    asked = "metrics=[patterns,importance]"
    printed = succeed("run", asked, f"run_dir={tmp_path / 'run'}", *settings)
    note = "importance was left out: the checkpoint has no masked-LM head"
    assert note in printed
    assert note in (tmp_path / "run" / "report.html").read_text()
