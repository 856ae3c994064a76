"""Probe: trained on one corpus and scored on another, killed or by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.compute as pc
import pytest

from attnray.config import PROBES, planned, typed
from attnray.stages.planned import existing
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from tests.builders.jobs import kill_when, markers, read_table, refusal, succeed, tables


def test_killed_while_it_probes_it_goes_on(
    paper: tuple[Path, str], paper_settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "killed"
    everything = ("executor=serial", f"run_dir={run_dir}", *paper_settings)
    kill_when(lambda: len(markers(run_dir, "probes")) > 0, "run", *everything)
    kept = {stage: markers(run_dir, stage) for stage in ("probes", "analyse-importance")}
    assert kept["analyse-importance"]
    succeed("run", *everything)
    assert tables(run_dir) == tables(paper[0])
    for stage, before in kept.items():
        assert before.items() <= markers(run_dir, stage).items()


def test_probes_alone_on_a_run_folder(paper: tuple[Path, str], tmp_path: Path) -> None:
    copied = Path(shutil.copytree(paper[0], tmp_path / "copied"))
    before = markers(copied, "probes")
    settings = ("executor=serial", f"run_dir={copied}", "probe.seeds=[0,1]")
    succeed("probe", *settings, scratch=True)
    found = read_table(copied, "probes")
    assert len(found) == 2 * 2 * len(PROBES)
    first = found.filter(pc.field("seed") == 0)
    assert first.equals(read_table(paper[0], "probes"))
    assert len(markers(copied, "probes")) == 2 * len(before)


def test_vectors_may_be_in_the_home_folder(
    paper: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(Path(paper[0]))
    manifest = Manifest.read(folder)
    assert manifest is not None
    config = typed(planned(manifest.config))
    config.probe.vectors = "~/glove.txt"
    monkeypatch.setenv("HOME", "/somewhere")
    assert existing(folder, config, manifest).config.probe.vectors == "/somewhere/glove.txt"


def test_probes_need_a_corpus_of_their_own(tmp_path: Path) -> None:
    assert "corpora.train" in refusal("run", "metrics=[probes]")
    same = "pkg://attnray/corpus/sample.conllu"
    trained = ("corpora.train=conllu", f"corpora.train.path='{same}'")
    said = refusal("run", "metrics=[probes]", *trained, f"run_dir={tmp_path}", "executor=serial")
    assert "the same contents" in said


def test_what_a_fused_run_has_not_measured_yet_does_not_keep_probes_waiting(
    paper: tuple[Path, str], tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(paper[0], tmp_path / "copied"))
    fused = (f"run_dir={copied}", "analysis=fused", "executor=serial")
    assert "extract.py`" in refusal("analyse", *fused, status=1)
    succeed("probe", *fused)
    assert markers(copied, "probes") == markers(paper[0], "probes")
