"""Sweeps: the tables of single runs, one failed member among whole ones, killed and resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from attnray.store.media.local import LocalMedium
from tests.builders.jobs import SMALL, kill_when, refusal, run_job, succeed, tables
from tests.builders.once import Once

SETTINGS = ("corpus.limit=6", "metrics=[patterns,syntax,coreference]", *SMALL)


@pytest.fixture(scope="module")
def said(tiny_model: Path, tiny_roberta: Path) -> tuple[str, ...]:
    """The command of a sweep, but for its folder."""
    models = f"model={tiny_model},{tiny_model}-random-1,{tiny_roberta}"
    return ("-m", models, "corpus=sample", *SETTINGS)


@pytest.fixture(scope="module")
def swept(said: tuple[str, ...], once: Once) -> Path:
    """The folder of a sweep by Ray."""
    return once("sweep", lambda folder: succeed("run", *said, f"run_dir={folder}", "executor=ray"))


@pytest.fixture
def copied(swept: Path, tmp_path: Path) -> Path:
    """A copy of the sweep, times of files included."""
    return Path(shutil.copytree(swept, tmp_path / "copied"))


def times(folder: Path) -> dict[Path, int]:
    """When each marker of the members was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/done/*/*.json")}


def run_of(folder: Path, model: str) -> Path:
    (found,) = (path for path in (folder / "runs").glob(f"{model}-sample-????????"))
    return found


def test_its_members_have_the_tables_of_single_runs(
    swept: Path, tiny_model: Path, tiny_roberta: Path, tmp_path: Path
) -> None:
    for name, settings in {
        "tiny": (f"model.path={tiny_model}",),
        "tiny-random-1": (f"model.path={tiny_model}", "model.random_init=true", "model.seed=1"),
        "tiny-roberta": (f"model.path={tiny_roberta}",),
    }.items():
        alone = tmp_path / name
        succeed("run", "executor=serial", f"run_dir={alone}", *settings, *SETTINGS)
        assert tables(alone) == tables(run_of(swept, name))
        assert (run_of(swept, name) / "report.html").is_file()


def test_it_ends_with_the_comparison_of_its_members(swept: Path) -> None:
    best = pq.read_table(swept / "tables" / "syntax_best.parquet")
    assert set(best["model"].to_pylist()) == {"tiny", "tiny-random-1", "tiny-roberta"}
    assert len(json.loads((swept / "comparison.json").read_text())["runs"]) == 3
    page = (swept / "report.html").read_text()
    assert all(name in page for name in ("tiny-random-1", "tiny-roberta"))


def test_a_member_that_another_job_has_is_left_to_it(copied: Path, said: tuple[str, ...]) -> None:
    taken, other = run_of(copied, "tiny-roberta"), run_of(copied, "tiny")
    for run in (taken, other):
        (run / "report.html").unlink()
    with LocalMedium(taken).hold():
        line = refusal("run", *said, f"run_dir={copied}", "executor=serial", status=1)
    assert "1 of the 3 members of the sweep failed" in line
    assert f"{taken}: another job is at work in this run folder" in line
    assert (other / "report.html").is_file()
    assert not (taken / "report.html").exists()


def test_started_again_it_does_nothing_again(
    swept: Path, copied: Path, said: tuple[str, ...]
) -> None:
    before = times(copied)
    printed = succeed("run", *said, f"run_dir={copied}", "executor=ray").splitlines()
    first = next(
        n for n, line in enumerate(printed) if line.startswith("sample: accuracy of the best")
    )
    models = [line.split()[0] for line in printed[first + 3 : first + 6]]
    assert models == ["tiny", "tiny-random-1", "tiny-roberta"]
    assert printed[-1] == f"comparison: {copied / 'report.html'}"
    assert times(copied) == before
    assert tables(copied) == tables(swept)


def test_killed_and_resumed_it_has_the_same_tables(
    swept: Path, said: tuple[str, ...], tmp_path: Path
) -> None:
    again = tmp_path / "again"
    everything = (*said, f"run_dir={again}", "executor=serial")

    def one_is_whole_and_another_begun() -> bool:
        return len(list(again.glob("runs/*/done/analyse-*/*.json"))) >= 4

    kill_when(one_is_whole_and_another_begun, "run", *everything)
    assert not (again / "report.html").exists()
    kept = {path: path.stat().st_mtime_ns for path in again.glob("runs/*/attention/*.zarr")}
    succeed("run", *everything)
    assert kept
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    for model in ("tiny", "tiny-random-1", "tiny-roberta"):
        assert tables(run_of(again, model)) == tables(run_of(swept, model))
    assert tables(again) == tables(swept)


@pytest.mark.parametrize("executor", ["serial", "ray"])
def test_a_failed_member_does_not_stop_the_others(
    executor: str, tiny_model: Path, tmp_path: Path
) -> None:
    lacking, broken = (
        Path(shutil.copytree(tiny_model, tmp_path / n)) for n in ("lacking", "broken")
    )
    (lacking / "model.safetensors").unlink()
    weights = load_file(broken / "model.safetensors")
    weights["embeddings.LayerNorm.weight"][:] = 3e38
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    folder = tmp_path / "swept"
    models = f"model={lacking},{broken},{tiny_model},{tiny_model}-random-2"
    settings = (f"executor={executor}", "corpus.limit=3", "metrics=[syntax]", *SMALL)
    message = refusal("run", "-m", models, f"run_dir={folder}", *settings, status=1)
    assert "2 of the 4 members of the sweep failed" in message
    assert "no weights" in message
    assert "weights that are no numbers" in message
    assert "The same command goes on" in message
    compared = json.loads((folder / "comparison.json").read_text())["runs"]
    assert {row["model"] for row in compared} == {"tiny", "tiny-random-2"}


def test_a_comparison_that_fails_says_so_and_is_made_up_for(
    swept: Path, copied: Path, said: tuple[str, ...]
) -> None:
    everything = (*said, f"run_dir={copied}", "executor=serial")
    cases = run_of(copied, "tiny") / "cases" / "syntax" / "00000.parquet"
    content = bytearray(cases.read_bytes())
    column = pq.read_metadata(cases).row_group(0).column(0)
    content[column.dictionary_page_offset + column.total_compressed_size - 1] ^= 1
    cases.write_bytes(content)
    message = refusal("run", *everything, status=1)
    assert "The comparison failed" in message
    assert f"{cases}: damaged" in message
    succeed("run", *everything)
    assert tables(copied) == tables(swept)


def test_a_sweep_of_which_nothing_can_be_used_is_refused(tmp_path: Path) -> None:
    models = f"model={tmp_path}/one,{tmp_path}/two"
    message = refusal("run", "-m", models, "executor=serial", f"run_dir={tmp_path}/out")
    assert f"{tmp_path}/one" in message
    assert f"{tmp_path}/two" in message


def test_the_folder_of_a_run_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    said = (f"model.path={tiny_model}", "executor=serial", f"run_dir={tmp_path}/one")
    succeed("plan", *said, "corpus.limit=2", "metrics=[syntax]")
    assert "is the folder of a run" in refusal("run", "-m", *said, "merge=mean,first")


def test_the_flag_may_stand_anywhere(tmp_path: Path) -> None:
    models = f"model={tmp_path}/one,{tmp_path}/two"
    for said in (("-m", models, "seed=1"), ("seed=1", "-m", models), (models, "seed=1", "-m")):
        line = refusal("run", *said, f"run_dir={tmp_path / 'sweep'}", "executor=serial")
        assert f"{tmp_path}/one" in line
        assert f"{tmp_path}/two" in line


def test_an_impossible_member_is_refused_before_anything_is_done(
    tiny_model: Path, tmp_path: Path
) -> None:
    settings = (f"model={tiny_model}", "merge=mean,median", f"run_dir={tmp_path}/out")
    assert "merge=median is not possible" in refusal("run", "-m", *settings)
    assert not (tmp_path / "out").exists()


def test_other_settings_can_be_swept_and_name_what_is_compared(
    tiny_model: Path, tmp_path: Path
) -> None:
    done = run_job(
        "run",
        "-m",
        f"model={tiny_model}",
        "merge=mean,first",
        f"run_dir={tmp_path}/out",
        "executor=serial",
        "corpus.limit=6",
        "metrics=[syntax]",
    )
    assert done.returncode == 0, done.stderr
    best = pq.read_table(tmp_path / "out" / "tables" / "syntax_best.parquet")
    assert set(best["model"].to_pylist()) == {"tiny (merge=mean)", "tiny (merge=first)"}
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 2
    assert not list(tmp_path.rglob("multirun.yaml"))


def test_without_cases_there_is_no_comparison(tiny_model: Path, tmp_path: Path) -> None:
    sweep = ("-m", f"model={tiny_model},{tiny_model}-random-1", f"run_dir={tmp_path}/out")
    settings = ("executor=serial", "corpus.limit=2", "metrics=[syntax]", "cases=false")
    assert "comparison: left out, since cases=false" in succeed("run", *sweep, *settings)
    assert not (tmp_path / "out" / "tables").exists()
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 2
