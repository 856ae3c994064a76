"""Sweeps: the tables of single runs, one failed member among whole ones, killed and resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

import attnray.stages.plan as planning
from attnray.config import Config, CorpusConfig, ModelConfig, StoreConfig
from attnray.stages.planned import Place, plan
from tests.builders.families import tiny_checkpoint
from tests.builders.jobs import SMALL, kill_when, refusal, run_job, succeed, tables

SETTINGS = ("corpus.limit=6", "metrics=[patterns,syntax,coreference]", *SMALL)


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another family."""
    return tiny_checkpoint("roberta", tmp_path_factory.mktemp("models") / "tiny-roberta")


@pytest.fixture(scope="module")
def swept(
    tiny_model: Path, other_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, tuple[str, ...]]:
    """A sweep by Ray, and its command."""
    folder = tmp_path_factory.mktemp("sweep")
    models = f"model={tiny_model},{tiny_model}-random-1,{other_model}"
    said = ("-m", models, "corpus=sample", f"run_dir={folder}", *SETTINGS)
    succeed("run", *said, "executor=ray")
    return folder, said


def times(folder: Path) -> dict[Path, int]:
    """When each marker of the members was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/done/*/*.json")}


def run_of(folder: Path, model: str) -> Path:
    (found,) = (path for path in (folder / "runs").glob(f"{model}-sample-????????"))
    return found


def test_its_members_have_the_tables_of_single_runs(
    swept: tuple[Path, tuple[str, ...]], tiny_model: Path, other_model: Path, tmp_path: Path
) -> None:
    folder, _ = swept
    for name, settings in {
        "tiny": (f"model.path={tiny_model}",),
        "tiny-random-1": (f"model.path={tiny_model}", "model.random_init=true", "model.seed=1"),
        "tiny-roberta": (f"model.path={other_model}",),
    }.items():
        alone = tmp_path / name
        succeed("run", "executor=serial", f"run_dir={alone}", *settings, *SETTINGS)
        assert tables(alone) == tables(run_of(folder, name))
        assert (run_of(folder, name) / "report.html").is_file()


def test_it_ends_with_the_comparison_of_its_members(swept: tuple[Path, tuple[str, ...]]) -> None:
    folder, _ = swept
    best = pq.read_table(folder / "tables" / "syntax_best.parquet")
    assert set(best["model"].to_pylist()) == {"tiny", "tiny-random-1", "tiny-roberta"}
    assert len(json.loads((folder / "comparison.json").read_text())["runs"]) == 3
    page = (folder / "report.html").read_text()
    assert all(name in page for name in ("tiny-random-1", "tiny-roberta"))


def test_started_again_it_does_nothing_again(
    swept: tuple[Path, tuple[str, ...]],
) -> None:
    folder, said = swept
    before = times(folder)
    compared = tables(folder)
    succeed("run", *said, "executor=ray")
    assert times(folder) == before
    assert tables(folder) == compared


def test_killed_and_resumed_it_has_the_same_tables(
    swept: tuple[Path, tuple[str, ...]], tmp_path: Path
) -> None:
    folder, said = swept
    again = tmp_path / "again"
    said = tuple(f"run_dir={again}" if each.startswith("run_dir") else each for each in said)

    def one_is_whole_and_another_begun() -> bool:
        return len(list(again.glob("runs/*/done/analyse-*/*.json"))) >= 4

    kill_when(one_is_whole_and_another_begun, "run", *said, "executor=serial")
    assert not (again / "report.html").exists()
    kept = {path: path.stat().st_mtime_ns for path in again.glob("runs/*/attention/*.zarr")}
    succeed("run", *said, "executor=serial")
    assert kept
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    for model in ("tiny", "tiny-random-1", "tiny-roberta"):
        assert tables(run_of(again, model)) == tables(run_of(folder, model))
    assert tables(again) == tables(folder)


def test_a_failed_member_does_not_stop_the_others(tiny_model: Path, tmp_path: Path) -> None:
    lacking, broken = (
        Path(shutil.copytree(tiny_model, tmp_path / n)) for n in ("lacking", "broken")
    )
    (lacking / "model.safetensors").unlink()
    weights = load_file(broken / "model.safetensors")
    weights["embeddings.LayerNorm.weight"][:] = float("nan")
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    for executor in ("serial", "ray"):
        folder = tmp_path / executor
        models = f"model={lacking},{broken},{tiny_model},{tiny_model}-random-2"
        settings = (f"run_dir={folder}", f"executor={executor}", "corpus.limit=3", *SMALL)
        settings = (*settings, "metrics=[syntax]")
        message = refusal("run", "-m", models, *settings, status=1)
        assert "2 of the 4 members of the sweep failed" in message
        assert "no weights" in message
        assert "weights that are no numbers" in message
        assert "The same command goes on" in message
        assert {
            row["model"] for row in json.loads((folder / "comparison.json").read_text())["runs"]
        } == {"tiny", "tiny-random-2"}


def test_a_comparison_that_fails_says_so_and_is_made_up_for(
    swept: tuple[Path, tuple[str, ...]], tmp_path: Path
) -> None:
    folder, said = swept
    again = Path(shutil.copytree(folder, tmp_path / "again"))
    said = (*(f"run_dir={again}" if each.startswith("run_dir=") else each for each in said),)
    cases = run_of(again, "tiny") / "cases" / "syntax" / "00000.parquet"
    content = bytearray(cases.read_bytes())
    column = pq.read_metadata(cases).row_group(0).column(0)
    content[column.dictionary_page_offset + column.total_compressed_size - 1] ^= 1
    cases.write_bytes(content)
    message = refusal("run", *said, "executor=serial", status=1)
    assert "The comparison failed" in message
    assert f"{cases}: missing or damaged (" in message
    assert "delete it and start its run again" in message
    cases.unlink()
    succeed("run", *said, "executor=serial")
    assert tables(again) == tables(folder)


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


def test_shards_are_planned_once_for_all_models_of_a_tokenizer(
    tiny_model: Path, other_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = planning.read

    def counted(corpus: CorpusConfig) -> object:
        reads.append(corpus.name)
        return read(corpus)

    monkeypatch.setattr(planning, "read", counted)
    place = Place(tmp_path)
    runs = []
    counts = []
    for model in (
        ModelConfig(name=None, path=str(tiny_model)),
        ModelConfig(name=None, path=str(tiny_model), random_init=True, seed=5),
        ModelConfig(name=None, path=str(other_model)),
    ):
        config = Config(
            model=model,
            corpus=CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu"),
            store=StoreConfig("log16"),
            metrics=["syntax", "coreference"],
        )
        config.executor.name = "serial"
        runs.append(plan(config, "cpu", place))
        counts.append(len(reads))
    assert counts[0] == counts[1] < counts[2]
    first, second = (
        [path.read_bytes() for path in sorted((run.folder.path / "shards").iterdir())]
        for run in runs[:2]
    )
    assert first == second
    assert runs[0].manifest.examples == runs[1].manifest.examples


def test_examples_planned_for_one_metric_do_not_serve_one_that_needs_more(
    tiny_model: Path, tmp_path: Path
) -> None:
    treeless = tmp_path / "treeless.conllu"
    rows = "".join(f"{n}\tword{n}" + "\t_" * 8 + "\n" for n in range(1, 5))
    treeless.write_text("".join(f"# newdoc\n{rows}\n" for _ in range(3)))
    place = Place(tmp_path / "runs")
    runs = []
    for seed, metrics in enumerate((["patterns"], ["syntax", "patterns"])):
        config = Config(
            model=ModelConfig(name=None, path=str(tiny_model), random_init=True, seed=seed),
            corpus=CorpusConfig("treeless", "conllu", str(treeless)),
            store=StoreConfig("log16"),
            metrics=metrics,
        )
        config.executor.name = "serial"
        runs.append(plan(config, "cpu", place))
    assert runs[1].metrics == ["patterns"]
    assert runs[1].notes == ["syntax was left out: the corpus has no syntactic heads (HEAD)"]
