"""The jobs on a run folder: the whole run, and stage after stage."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

import attnray
from attnray.store.media.local import LocalMedium
from tests.builders.jobs import markers, refusal, run_job, succeed, tables


def test_the_run_has_every_part_of_the_contract(undisturbed: Path) -> None:
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    shards = len(manifest["examples"])
    assert shards > 10
    names = {f"{shard:05}" for shard in range(shards)}
    assert {p.stem for p in (undisturbed / "shards").iterdir()} == names
    assert {p.stem for p in (undisturbed / "attention").iterdir()} == names
    assert set(tables(undisturbed)) == {
        f"{name}.parquet"
        for name in (
            "patterns",
            "divergence",
            "layer_closeness",
            "heads",
            "syntax",
            "syntax_baselines",
            "syntax_best",
            "syntax_gains",
            "coreference",
            "coreference_baselines",
            "coreference_best",
            "coreference_gains",
            "corpus",
        )
    }
    assert (undisturbed / "report.html").is_file()
    for name in tables(undisturbed):
        assert pq.read_schema(undisturbed / "tables" / name).names[:2] == ["model", "corpus"]


def test_the_stages_one_by_one_give_the_same_bits(
    undisturbed: Path, tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = f"run_dir={tmp_path / 'run'}"
    succeed("plan", "executor=serial", run_dir, *tiny_settings, scratch=True)
    assert "not extracted" in refusal("analyse", run_dir, status=1)
    assert "shard 00000" in refusal("reduce", run_dir, status=1)
    for stage in ("extract", "analyse", "reduce"):
        succeed(stage, run_dir, cwd=tmp_path, scratch=True)
    assert "report.html" in succeed("report", run_dir, cwd=tmp_path, scratch=True)
    assert tables(tmp_path / "run") == tables(undisturbed)


def test_a_stage_applies_what_its_command_line_says(copied: Path, undisturbed: Path) -> None:
    run_dir = f"run_dir={copied}"
    assert "store.codec" in refusal("analyse", run_dir, "store=float32")
    succeed("analyse", run_dir, "metrics=[syntax]", "relation_labels=full")
    for metric in ("patterns", "coreference"):
        assert markers(copied, f"analyse-{metric}") == markers(undisturbed, f"analyse-{metric}")
    assert "has no syntax" in refusal("reduce", run_dir, status=1)
    succeed("reduce", run_dir, "metrics=[syntax]", "relation_labels=full")
    full = pq.read_table(copied / "tables" / "syntax_best.parquet")["relation"].to_pylist()
    assert any(":" in relation for relation in full)


def test_a_stage_needs_a_plan(tmp_path: Path) -> None:
    assert "manifest.json" in refusal("analyse", f"run_dir={tmp_path}")


def test_the_default_folder_is_found_again(tiny_settings: tuple[str, ...], tmp_path: Path) -> None:
    overrides = ("executor=serial", "metrics=[patterns]", "corpus.limit=2", *tiny_settings)
    succeed("run", *overrides, cwd=tmp_path)
    succeed("run", *overrides, cwd=tmp_path)
    (run_dir,) = (tmp_path / "runs").iterdir()
    assert run_dir.name.startswith("tiny-sample-")


def test_a_random_twin_has_its_name_and_its_seed(
    tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    found: list[list[float]] = []
    for seed in (1, 1, 2):
        run_dir = tmp_path / f"run-{len(found)}"
        overrides = ("model.random_init=true", f"seed={seed}", "metrics=[patterns]")
        succeed("run", "executor=serial", f"run_dir={run_dir}", *overrides, *tiny_settings)
        table = pq.read_table(run_dir / "tables" / "patterns.parquet")
        assert set(table["model"].to_pylist()) == {f"tiny-random-{seed}"}
        found.append(table["value"].to_pylist())
    assert found[0] == found[1] != found[2]


def test_a_job_can_be_started_in_any_folder(tmp_path: Path) -> None:
    done = run_job("run", "--cfg", "job", cwd=tmp_path)
    assert done.returncode == 0
    assert "minilm" in done.stdout


def test_a_second_driver_is_refused_and_readers_are_not(
    copied: Path, tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = f"run_dir={copied}"
    with LocalMedium(copied).hold():
        for job in ("run", "extract", "reduce"):
            settings = tiny_settings if job == "run" else ()
            line = refusal(job, run_dir, "executor=serial", *settings, status=1)
            assert f"{copied}: another job is at work in this run folder (process " in line
        assert "1-1" in succeed("report", run_dir)
        assert "whole" in succeed("verify", str(copied))
        assert len(attnray.open(str(copied))) > 0
    assert not (copied / ".driver").exists()
    succeed("reduce", run_dir)
