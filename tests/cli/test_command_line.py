"""The command line: help, names to choose from, completion, and choices by path."""

from __future__ import annotations

import gzip
import os
import pwd
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.config_store import ConfigStore

from attnray.cli.caches import FOLDERS, caches
from attnray.cli.choices import choices
from attnray.cli.help import JOBS, WITHOUT_SETTINGS
from attnray.cli.overrides import known_to_hydra
from attnray.errors import InputError
from attnray.store.places import run_folder
from tests.builders.jobs import ROOT, command, environment, refusal, succeed


@pytest.mark.parametrize("job", list(JOBS))
def test_help_says_what_a_job_does_with_an_example(job: str) -> None:
    shown = succeed(job, "--help")
    assert JOBS[job][0] in shown
    assert f"jobs/{job}.py" in shown.partition("Settings")[0]
    assert (str(ROOT / "conf" / "config.yaml") in shown) == (job not in WITHOUT_SETTINGS)


def test_every_job_is_there_and_has_help() -> None:
    assert {path.stem for path in (ROOT / "jobs").glob("*.py")} == set(JOBS)


def test_the_list_has_every_name_with_size_and_licence() -> None:
    lines = succeed("list", scratch=True).splitlines()
    for group in ("model", "corpus"):
        for name, content in choices(group).items():
            (line,) = (each for each in lines if each.split(" ", 1)[0] == name)
            to_give = "???" in content.values()
            size = f"give {group}." if to_give else str(content.get("size") or "–")
            assert f"  {size}" in line
            assert line.endswith(f"  {content.get('licence') or '–'}")


def test_cfg_shows_what_a_choice_stands_for() -> None:
    shown = yaml.safe_load(succeed("run", "model=minilm-random-3", "--cfg", "job"))
    assert shown["model"]["hub"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert (shown["model"]["random_init"], shown["model"]["seed"]) == (True, 3)


def test_a_folder_and_a_file_can_be_chosen(tiny_model: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "two words.v2.conllu"
    corpus.write_bytes((ROOT / "attnray" / "corpus" / "sample.conllu").read_bytes())
    said = (f"model={tiny_model}", f"corpus='{corpus}'", "--cfg", "job")
    shown = yaml.safe_load(succeed("run", *said))
    assert (shown["model"]["path"], shown["model"]["name"]) == (str(tiny_model), None)
    assert shown["model"]["checksums"] == {}
    wanted = {"name": "two words", "format": "conllu", "path": str(corpus)}
    assert {key: shown["corpus"][key] for key in wanted} == wanted


@pytest.mark.parametrize("name", ["Löwe", "北京", "a b", "c=d", "e{f", "it's", "~g", "&#", "h(1)"])
def test_any_name_is_taken_as_it_is(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    corpus = folder / f"{name}.conllu"
    corpus.write_bytes((ROOT / "attnray" / "corpus" / "sample.conllu").read_bytes())
    shown = yaml.safe_load(succeed("run", f"model={folder}", f"corpus={corpus}", "--cfg", "job"))
    assert shown["model"]["path"] == str(folder)
    assert shown["corpus"]["path"] == str(corpus)
    run = tmp_path / name / "run"
    paths = (f"model.path={folder}", f"corpus.path=[{corpus},{corpus}]", f"run_dir={run}")
    shown = yaml.safe_load(succeed("run", *paths, "--cfg", "job"))
    assert shown["model"]["path"] == str(folder)
    assert shown["corpus"]["path"] == [str(corpus)] * 2
    assert shown["run_dir"] == str(run)


def test_a_tilde_is_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.conllu").write_text("")
    (tmp_path / "tiny").mkdir()
    said = known_to_hydra(["model=~/tiny", "corpus=~/a.conllu", "run_dir=~/run"])
    stored = {key: node for group in ("model", "corpus") for key, node in stored_in(group).items()}
    assert stored[said[0].partition("=")[2]]["path"] == str(tmp_path / "tiny")
    assert stored[said[1].partition("=")[2]]["path"] == str(tmp_path / "a.conllu")
    assert run_folder("~/run") == tmp_path / "run"


def stored_in(group: str) -> dict[str, Any]:
    """The choices of a group made known to Hydra, by name."""
    known = ConfigStore.instance().repo[group]
    return {name.removesuffix(".yaml"): each.node for name, each in known.items()}


@pytest.mark.parametrize("name", ["dev.txt", "dev.dep", "dev", "dev.conll", "dev.txt.gz"])
def test_lines_tell_a_format_before_the_name_does(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    write = gzip.open if name.endswith(".gz") else open
    for text, form in (
        ("Ann 2-nsubj\nmet 0-root\n", "word_head"),
        ("#begin document (a)\n", "conll2012"),
    ):
        with write(path, "wt") as file:
            file.write(text)
        (said,) = known_to_hydra([f"corpus={path}"])
        assert stored_in("corpus")[said.partition("=")[2]]["format"] == form


def test_a_role_takes_a_file_too(tmp_path: Path) -> None:
    corpus = tmp_path / "train.conllu"
    corpus.write_text("")
    shown = yaml.safe_load(succeed("run", f"corpora.train={corpus}", "--cfg", "job"))
    assert shown["corpora"]["train"]["path"] == str(corpus)


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "model", tmp_path / "b" / "model"
    (known,) = known_to_hydra([f"model={one},{other},minilm"])
    first, second, third = known.removeprefix("model=").split(",")
    assert first != second
    assert third == "minilm"


def test_other_arguments_are_left_alone() -> None:
    said = ["seed=1", "-m", "model=minilm", "model.path=a/b", "corpus=sample"]
    assert known_to_hydra(said) == said


def test_a_file_of_no_known_ending_is_refused(tmp_path: Path) -> None:
    strange = tmp_path / "corpus.docx"
    strange.write_text("")
    with pytest.raises(InputError, match=r"the name tells no format .*corpus=conllu"):
        known_to_hydra([f"corpus={strange}"])


def test_the_executor_cannot_be_swept() -> None:
    assert "one executor" in refusal("run", "-m", "executor.extractors=1,2")


def test_comparing_nothing_and_what_is_no_run_is_refused(tmp_path: Path) -> None:
    assert "no runs to compare" in refusal("compare")
    assert "no run folder there" in refusal("compare", f"runs=[{tmp_path}]")


def test_compare_takes_patterns_and_refuses_unfinished_runs(
    tiny_model: Path, tmp_path: Path
) -> None:
    said = (f"model.path={tiny_model}", "executor=serial", "corpus.limit=2", "metrics=[syntax]")
    succeed("run", *said, f"run_dir={tmp_path}/run-0")
    succeed("plan", *said, "model.random_init=true", f"run_dir={tmp_path}/run-1")
    runs = f"runs=[{tmp_path}/run-*]"
    assert "finish this run first" in refusal("compare", runs, f"run_dir={tmp_path}/both")
    succeed("run", f"run_dir={tmp_path}/run-1", *said, "model.random_init=true")
    assert "is a run folder" in refusal("compare", runs, f"run_dir={tmp_path}/run-0")
    shown = succeed("compare", runs, f"run_dir={tmp_path}/both", scratch=True)
    assert f"{tmp_path}/both/report.html" in shown


def test_closed_descriptors_are_no_files_of_a_job(tmp_path: Path) -> None:
    line = shlex.join(command("status", str(tmp_path)))
    done = subprocess.run(
        f"{line} <&- >&- 2>&-",
        shell=True,
        env=environment() | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 2


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    (gone := tmp_path / "gone").mkdir()
    line = shlex.join(command("run", "executor=serial", "model.path=x"))
    done = subprocess.run(
        f"rmdir {gone}; {line}",
        shell=True,
        cwd=gone,
        env=environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "attnray: the folder that this was started in is gone" in done.stderr


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    for name in FOLDERS:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with caches():
        assert Path(os.environ[FOLDERS[0]]).parent.is_dir()
