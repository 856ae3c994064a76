"""A run over GAP: coreference of three mentions, and the choice between the names beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

import attnray
from attnray.corpus.formats.gap import COLUMNS
from tests.builders.jobs import refusal, succeed, tables


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> tuple[str, ...]:
    """Four passages, in the last of which the pronoun stands for neither name."""
    text = "Ann's dog saw Bo. Then she slept and (so Bo said) dreamt."
    lines = ["\t".join(COLUMNS)]
    for number, (pronoun, label) in enumerate(
        [("she", "TRUE"), ("he", "TRUE"), ("she", "TRUE"), ("he", "FALSE")]
    ):
        said = text.replace("she", pronoun)
        row = [f"test-{number}", said, pronoun, "23", "Ann", "0", label]
        lines.append("\t".join([*row, "Bo", "14", "FALSE", "http://x"]))
    path = tmp_path / "gap.tsv"
    path.write_text("\n".join(lines))
    model = (f"model.path={tiny_model}", "executor=serial", "corpus=gap")
    return (*model, f"corpus.path={path}", f"run_dir={tmp_path / 'run'}")


def test_a_run_over_gap(settings: tuple[str, ...], tmp_path: Path) -> None:
    printed = succeed("run", *settings, "metrics=[patterns,coreference]")
    assert "best head of each gender of ambiguous pronouns" in printed
    run = attnray.open(str(tmp_path / "run"), kind="document")
    rows = {row["gender"]: row for row in run.table("gap_best").to_pylist()}
    counts = {g: (row["total"], row["passages"], row["left_out"]) for g, row in rows.items()}
    assert counts == {"all": (3, 4, 0), "feminine": (2, 2, None), "masculine": (1, 2, None)}
    # The nearest name is always Bo, which is never right.
    (nearest, *_) = run.table("gap_baselines").to_pylist()
    assert (nearest["baseline"], nearest["gender"], nearest["correct"]) == ("nearest", "all", 0)
    assert len(run.table("gap")) == 3 * 2 * 3
    # Patterns take pairs of sentences, as of any unlabelled text.
    kinds = {row["kind"]: row["roles"] for row in run.table("corpus").to_pylist()}
    assert kinds == {"pair": "patterns", "document": "coreference"}
    assert "Ambiguous pronouns" in (tmp_path / "run" / "report.html").read_text()


def test_without_coreference_there_is_none(settings: tuple[str, ...], tmp_path: Path) -> None:
    succeed("run", *settings, "metrics=[patterns]")
    assert "gap.parquet" not in tables(tmp_path / "run")
    line = refusal("run", *settings, "metrics=[gap]")
    assert "metrics=[gap] is not possible" in line
