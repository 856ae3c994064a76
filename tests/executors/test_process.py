"""Started again, a run does what is not done yet, and what depends on what has changed."""

from __future__ import annotations

from pathlib import Path

from tests.builders.jobs import markers, succeed, tables


def test_a_second_start_does_nothing_again(copied: Path, tiny_settings: tuple[str, ...]) -> None:
    before = {p: p.stat().st_mtime_ns for p in copied.rglob("*") if p.name != "manifest.json"}
    succeed("run", "executor=ray", "executor.extractors=3", f"run_dir={copied}", *tiny_settings)
    after = {p: p.stat().st_mtime_ns for p in copied.rglob("*") if p.name != "manifest.json"}
    changed = {p.name for p in after if p.is_file() and after[p] != before.get(p)}
    assert changed <= {"corpus.parquet"}


def test_another_setting_redoes_only_what_depends_on_it(
    copied: Path, undisturbed: Path, tiny_settings: tuple[str, ...]
) -> None:
    overrides = ("executor=serial", f"run_dir={copied}", *tiny_settings)
    succeed("run", "merge=first", *overrides)
    for stage in ("extract", "analyse-patterns"):
        assert markers(copied, stage) == markers(undisturbed, stage)
    assert tables(copied)["patterns.parquet"] == tables(undisturbed)["patterns.parquet"]
    assert tables(copied)["syntax.parquet"] != tables(undisturbed)["syntax.parquet"]
    succeed("run", *overrides)
    assert tables(copied) == tables(undisturbed)


def test_one_more_metric_leaves_the_others_alone(
    undisturbed: Path, tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    overrides = ("executor=serial", f"run_dir={tmp_path / 'run'}", *tiny_settings)
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
