"""Every analysis of the paper in one run, on a tiny masked LM: experiment=clark2019."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest

from tests.builders.jobs import read_table, succeed, tables

TABLES = {
    "patterns",
    "divergence",
    "layer_closeness",
    "heads",
    "importance",
    "syntax",
    "syntax_baselines",
    "syntax_best",
    "syntax_gains",
    "coreference",
    "coreference_baselines",
    "coreference_best",
    "coreference_gains",
    "probes",
    "probe_differences",
    "corpus",
    "reproduction",
}


def test_every_table_and_figure_of_the_paper_is_there(paper: tuple[Path, str]) -> None:
    run_dir, printed = paper
    assert {path.stem for path in (run_dir / "tables").iterdir()} == TABLES
    for name in TABLES - {"corpus", "reproduction", "probe_differences"}:
        assert set(read_table(run_dir, name)["model"].to_pylist()) == {"lm", "lm-random-7"}
    figures = {path.stem for path in (run_dir / "figures").iterdir()}
    assert figures >= {"special_tokens", "importance", "entropy", "clusters", "syntax"}
    assert "was left out" not in printed
    assert "reproduction.html" in printed
    assert "<h2" in (run_dir / "reproduction.html").read_text()


def test_pairs_are_of_the_treebank(paper: tuple[Path, str]) -> None:
    corpus = read_table(paper[0], "corpus").filter(pc.field("model") == "lm")
    kinds = {(row["roles"], row["kind"], row["max_tokens"]) for row in corpus.to_pylist()}
    assert kinds == {
        ("patterns", "pair", 48),
        ("syntax, dev", "sentence", None),
        ("coreference", "document", 48),
        ("train", "sentence", None),
    }


def test_the_numbers_of_the_paper_stand_beside_ours(paper: tuple[Path, str]) -> None:
    run_dir, _ = paper
    found = read_table(run_dir, "reproduction")
    assert set(found["model"].to_pylist()) == {"lm"}
    rows = {(r["source"], r["item"], r["quantity"]): r for r in found.to_pylist()}
    assert len(rows) == len(found)
    best = read_table(run_dir, "syntax_best").filter(pc.field("model") == "lm").to_pylist()
    det = rows["table 1", "det", "best head"]
    assert (det["paper"], det["paper_detail"]) == (0.943, "8-11")
    assert det["ours"] == next(row["accuracy"] for row in best if row["relation"] == "det")
    assert det["difference"] == pytest.approx(det["ours"] - 0.943)
    probes = read_table(run_dir, "probes").filter(pc.field("probe") == "attention_and_words")
    uas = dict(zip(probes["model"].to_pylist(), probes["uas"].to_pylist(), strict=True))
    assert rows["table 3", "attention_and_words", "probe"]["ours"] == uas["lm"]
    assert rows["table 3", "attention_and_words", "random twin"]["ours"] == uas["lm-random-7"]
    for key in (
        ("table 2", "all", "sieve"),
        ("table 2", "pronoun", "best head"),
        ("figure 1", "broad", "heads of this behaviour"),
        ("figure 4", "entropy_from_cls", "mean over the heads of the last layer"),
    ):
        assert rows[key]["ours"] is not None, key
    # No head of the paper's is a head of a model of another size, and prep is not of UD.
    assert rows["table 1", "all", "the paper's head"]["ours"] is None
    assert rows["table 1", "prep", "best head"]["ours"] is None
    assert rows["table 1", "prep", "best head"]["difference"] is None


def test_ray_gives_the_same_tables(
    paper: tuple[Path, str], paper_settings: tuple[str, ...], tmp_path: Path
) -> None:
    succeed("run", "executor=ray", f"run_dir={tmp_path / 'ray'}", *paper_settings)
    assert tables(tmp_path / "ray") == tables(paper[0])
