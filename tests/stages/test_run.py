"""The main job end to end on a tiny model, by both executors: real processes, real failures."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from attnray.compare.subjects import opened
from attnray.executors.ray import RayExecutor
from attnray.executors.work import Work
from attnray.executors.worker import ModelSettings
from attnray.metrics.base import AttentionMetric
from attnray.stages.analyse import AnalyseTask
from attnray.store.folder import RunFolder
from tests.builders.jobs import (
    SMALL,
    kill_when,
    markers,
    refusal,
    run_job,
    start,
    succeed,
    tables,
    wait_while_running,
)
from tests.builders.processes import descendants

EXECUTORS = {
    "serial": ("executor=serial",),
    "ray": ("executor=ray",),
    "ray with two extractors and one analyser": (
        "executor=ray",
        "executor.extractors=2",
        "executor.cpus_per_extractor=0.5",
        "executor.analysers=1",
    ),
}
STAGES = ("extract", "analyse-patterns", "analyse-syntax", "analyse-coreference")


@pytest.fixture(scope="module")
def settings(tiny_model: Path) -> tuple[str, ...]:
    return (f"model.path={tiny_model}", *SMALL)


@pytest.fixture(scope="module")
def undisturbed(settings: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A serial run that nothing happened to."""
    run_dir = tmp_path_factory.mktemp("runs") / "undisturbed"
    succeed("run", "executor=serial", f"run_dir={run_dir}", *settings)
    return run_dir


@pytest.fixture
def copied(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of the undisturbed run, times of files included."""
    return Path(shutil.copytree(undisturbed, tmp_path / "copied"))


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
            "coreference",
            "coreference_baselines",
            "coreference_best",
            "corpus",
        )
    }
    assert (undisturbed / "report.html").is_file()
    for name in tables(undisturbed):
        assert pq.read_schema(undisturbed / "tables" / name).names[:2] == ["model", "corpus"]


@pytest.mark.parametrize("executor", list(EXECUTORS))
def test_every_executor_gives_the_same_bits(
    executor: str, undisturbed: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    printed = succeed("run", f"run_dir={tmp_path / 'run'}", *EXECUTORS[executor], *settings)
    assert tables(tmp_path / "run") == tables(undisturbed)
    report = (tmp_path / "run" / "report.html").read_bytes()
    assert report == (undisturbed / "report.html").read_bytes()
    assert "report.html" in printed
    assert "coreference" in printed


@pytest.mark.parametrize("executor", ["serial", "ray"])
@pytest.mark.parametrize("stage", ["extract", "analyse-syntax"])
def test_a_killed_run_goes_on_where_it_stopped(
    executor: str, stage: str, undisturbed: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    overrides = (f"executor={executor}", f"run_dir={run_dir}", *settings)
    kill_when(lambda: len(markers(run_dir, stage)) >= 3, "run", *overrides)
    before = {stage: markers(run_dir, stage) for stage in STAGES}
    assert 3 <= len(before[stage]) < len(markers(undisturbed, stage))
    succeed("run", *overrides)
    assert tables(run_dir) == tables(undisturbed)
    for each, done in before.items():
        after = markers(run_dir, each)
        assert {name: after[name] for name in done} == done, f"{each} was done again"


def test_a_second_start_does_nothing_again(copied: Path, settings: tuple[str, ...]) -> None:
    before = {p: p.stat().st_mtime_ns for p in copied.rglob("*") if p.name != "manifest.json"}
    succeed("run", "executor=ray", "executor.extractors=3", f"run_dir={copied}", *settings)
    after = {p: p.stat().st_mtime_ns for p in copied.rglob("*") if p.name != "manifest.json"}
    changed = {p.name for p in after if p.is_file() and after[p] != before.get(p)}
    assert changed <= {"corpus.parquet"}


def test_another_setting_redoes_only_what_depends_on_it(
    copied: Path, undisturbed: Path, settings: tuple[str, ...]
) -> None:
    overrides = ("executor=serial", f"run_dir={copied}", *settings)
    succeed("run", "merge=first", *overrides)
    for stage in ("extract", "analyse-patterns"):
        assert markers(copied, stage) == markers(undisturbed, stage)
    assert tables(copied)["patterns.parquet"] == tables(undisturbed)["patterns.parquet"]
    assert tables(copied)["syntax.parquet"] != tables(undisturbed)["syntax.parquet"]
    succeed("run", *overrides)
    assert tables(copied) == tables(undisturbed)


def test_one_more_metric_leaves_the_others_alone(
    undisturbed: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    overrides = ("executor=serial", f"run_dir={tmp_path / 'run'}", *settings)
    succeed("run", "metrics=[patterns]", *overrides)
    assert set(tables(tmp_path / "run")) == {"patterns.parquet", "heads.parquet", "corpus.parquet"}
    extracted = markers(tmp_path / "run", "extract")
    assert len(extracted) < len(markers(undisturbed, "extract")), "documents were extracted too"
    patterns = markers(tmp_path / "run", "analyse-patterns")
    succeed("run", *overrides)
    assert tables(tmp_path / "run") == tables(undisturbed)
    assert markers(tmp_path / "run", "analyse-patterns") == patterns
    after = markers(tmp_path / "run", "extract")
    assert {name: after[name] for name in extracted} == extracted


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("store=float32", "store.codec was log16 and is float32"),
        ("corpus.limit=3", "limit"),
        ("model.random_init=true", "model"),
        ("max_tokens=64", "max_tokens was [128] and is [64]"),
        ("batch.tokens=99", "batch.tokens"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(
    override: str, named: str, copied: Path, undisturbed: Path, settings: tuple[str, ...]
) -> None:
    kept = [each for each in settings if not each.startswith(override.partition("=")[0])]
    line = refusal("run", "executor=serial", f"run_dir={copied}", *kept, override)
    assert named in line
    assert "run_dir" in line
    assert tables(copied) == tables(undisturbed)


def test_the_stages_one_by_one_give_the_same_bits(
    undisturbed: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = f"run_dir={tmp_path / 'run'}"
    succeed("plan", "executor=serial", run_dir, *settings)
    assert "not extracted" in refusal("analyse", run_dir, status=1)
    assert "shard 00000" in refusal("reduce", run_dir, status=1)
    for stage in ("extract", "analyse", "reduce"):
        succeed(stage, run_dir, cwd=tmp_path)
    assert "report.html" in succeed("report", run_dir, cwd=tmp_path)
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
    assert "jobs/plan.py" in refusal("analyse", f"run_dir={tmp_path}")


@pytest.mark.parametrize("executor", ["serial", "ray"])
def test_a_shard_that_cannot_be_read_is_named_and_the_rest_goes_on(
    executor: str, undisturbed: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = f"run_dir={tmp_path / 'run'}"
    succeed("plan", run_dir, f"executor={executor}", *settings)
    broken = tmp_path / "run" / "shards" / "00003.parquet"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:100])
    for stage in ("extract", "analyse"):
        assert "00003" in refusal(stage, run_dir, status=1)
    assert len(markers(tmp_path / "run", "extract")) == len(markers(undisturbed, "extract")) - 1
    broken.write_bytes(whole)
    succeed("run", run_dir, f"executor={executor}", *settings)
    assert tables(tmp_path / "run") == tables(undisturbed)


def test_a_flipped_bit_of_stored_attention_ends_incomplete(
    copied: Path, settings: tuple[str, ...]
) -> None:
    block = sorted((copied / "attention" / "00002.zarr" / "weights").rglob("0"))[-1]
    content = bytearray(block.read_bytes())
    content[len(content) // 3] ^= 16
    block.write_bytes(content)
    line = refusal("analyse", f"run_dir={copied}", "merge=max", "executor=serial", status=1)
    assert "shard 00002 (analyse)" in line
    assert line.count("shard 0") == 1


def test_a_damaged_partial_is_named_and_made_anew(
    copied: Path, undisturbed: Path, settings: tuple[str, ...]
) -> None:
    path = max((copied / "partials" / "syntax").iterdir())
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 16
    path.write_bytes(content)
    (copied / "tables" / "syntax.parquet").unlink()
    line = refusal("reduce", f"run_dir={copied}", status=1)
    assert f"{path}: missing or damaged (" in line
    path.unlink()
    succeed("run", "executor=serial", f"run_dir={copied}", *settings)
    assert tables(copied) == tables(undisturbed)


def test_weights_that_are_no_numbers_end_incomplete(tiny_model: Path, tmp_path: Path) -> None:
    sick = Path(shutil.copytree(tiny_model, tmp_path / "sick"))
    weights = load_file(sick / "model.safetensors")
    name = next(name for name in weights if "layer.1" in name and "query.weight" in name)
    weights[name] = np.full_like(weights[name], np.nan)
    save_file(weights, sick / "model.safetensors", metadata={"format": "pt"})
    overrides = ("executor=serial", f"model.path={sick}", f"run_dir={tmp_path / 'run'}")
    assert "layer 2" in refusal("run", *overrides, status=1)
    assert not (tmp_path / "run" / "tables").exists()


def test_a_lost_extractor_is_replaced(
    undisturbed: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    process = start("run", "executor=ray", f"run_dir={run_dir}", *settings)
    wait_while_running(process, lambda: len(markers(run_dir, "extract")) > 0)
    workers = [each for each in descendants(process.pid) if "ray::ModelWorker" in each.command]
    assert workers
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    assert process.wait(timeout=300) == 0
    assert tables(run_dir) == tables(undisturbed)


def test_analyses_of_what_was_extracted_on_a_gpu_need_none(copied: Path) -> None:
    (subject,) = opened([RunFolder(copied)])
    run = subject.run
    (measurement,) = run.measurements("syntax")
    metric, (shard, *_) = cast(AttentionMetric, measurement.metric), measurement.examples.shards
    path = run.folder.partial("syntax", shard)
    expected = path.read_bytes()
    path.unlink()
    task = AnalyseTask(run.folder, shard, (metric,), (run.partial_identity(metric, shard),))
    model = ModelSettings(run.config.model, 0, {}, "cuda", 1)
    (outcome,) = RayExecutor(run.config.executor).run([Work(model, [], analyse={shard: task})])
    assert outcome.error is None
    assert path.read_bytes() == expected


def test_the_default_folder_is_found_again(settings: tuple[str, ...], tmp_path: Path) -> None:
    overrides = ("executor=serial", "metrics=[patterns]", "corpus.limit=2", *settings)
    succeed("run", *overrides, cwd=tmp_path)
    succeed("run", *overrides, cwd=tmp_path)
    (run_dir,) = (tmp_path / "runs").iterdir()
    assert run_dir.name.startswith("tiny-sample-")


def test_a_random_twin_has_its_name_and_its_seed(settings: tuple[str, ...], tmp_path: Path) -> None:
    found = []
    for seed in (1, 1, 2):
        run_dir = tmp_path / f"run-{len(found)}"
        overrides = ("model.random_init=true", f"seed={seed}", "metrics=[patterns]")
        succeed("run", "executor=serial", f"run_dir={run_dir}", *overrides, *settings)
        table = pq.read_table(run_dir / "tables" / "patterns.parquet")
        assert set(table["model"].to_pylist()) == {f"tiny-random-{seed}"}
        found.append(table["value"].to_pylist())
    assert found[0] == found[1] != found[2]


def test_plain_text_becomes_pairs_and_a_role_has_its_own_corpus(
    settings: tuple[str, ...], tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_text(
        "\n\n".join("She saw it. He did not. It was late. They left." for _ in range(9))
    )
    run_dir = tmp_path / "run"
    roles = ("corpora.patterns=text", f"corpora.patterns.path={text}", "corpora.patterns.limit=7")
    succeed("run", "executor=serial", f"run_dir={run_dir}", *roles, *settings)
    patterns = pq.read_table(run_dir / "tables" / "patterns.parquet")
    assert set(patterns["corpus"].to_pylist()) == {"text"}
    assert set(patterns["examples"].to_pylist()) == {7}
    syntax = pq.read_table(run_dir / "tables" / "syntax_best.parquet")
    assert set(syntax["corpus"].to_pylist()) == {"sample"}


def test_a_corpus_without_coreference_says_so(settings: tuple[str, ...], tmp_path: Path) -> None:
    corpus = tmp_path / "trees.conllu"
    rows = ["1\tshe\t_\tPRON\t_\t_\t2\tnsubj\t_\t_", "2\truns\t_\tVERB\t_\t_\t0\troot\t_\t_"]
    corpus.write_text("\n".join([*rows, "", *rows, ""]))
    overrides = ("executor=serial", "corpus=conllu", f"corpus.path={corpus}", *settings)
    printed = succeed("run", f"run_dir={tmp_path / 'run'}", *overrides)
    assert "coreference was left out" in printed
    assert "coreference.parquet" not in tables(tmp_path / "run")
    line = refusal("run", f"run_dir={tmp_path / 'other'}", "metrics=[coreference]", *overrides)
    assert "Entity=" in line


def test_the_installed_package_has_the_jobs_too(tmp_path: Path) -> None:
    done = run_job("run", "--cfg", "job", cwd=tmp_path)
    assert done.returncode == 0
    assert "minilm" in done.stdout
