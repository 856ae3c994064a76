"""What cannot be used is refused in one line, with status 2, before any work starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.jobs import refusal

WORD = "1\tshe\t_\tPRON\t_\t_\t0\troot\t_\t_\n"


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["model=minlm"], ["there is no model minlm", "list", "did you mean minilm?"]),
        (["-m", "model=minilm,minlm"], ["there is no model minlm", "did you mean minilm?"]),
        (["model=tests"], ["there is no model tests: ", "the folder tests has no config.json"]),
        (["corpus=ewt-dve"], ["there is no corpus ewt-dve", "did you mean ewt-dev?"]),
        (["corpora.train=ewt-dve"], ["there is no corpus ewt-dve", "did you mean ewt-dev?"]),
        (["corpus=nowhere.conllu"], ["nowhere.conllu: No such file"]),
        (["store=log61"], ["there is no store log61: did you mean log16? it is compact or"]),
        (["executor=rey"], ["there is no executor rey: did you mean ray? it is ray or serial"]),
        (["executor.name=rey"], ["executor.name=rey", "did you mean ray?"]),
        (["metrics=[syntaxx]"], ["metrics=[syntaxx]", "did you mean syntax?"]),
        (["probe.probes=[attenton]"], ["probe.probes=[attenton]", "did you mean attention?"]),
        (["merge=maen"], ["merge=maen", "mean, first, max", "did you mean mean?"]),
        (["corpus.format=conlu"], ["corpus.format=conlu", "did you mean conllu?"]),
        (["metrcs=[syntax]"], ["there is no setting metrcs: did you mean metrics?"]),
        (["corpus.pathh=x"], ["there is no setting corpus.pathh: did you mean corpus.path?"]),
        (["+limt=3"], ["there is no setting limt", "did you mean corpus.limit?"]),
        (["zzz=3"], ["there is no setting zzz", "--cfg job"]),
        (["runs/x"], ["runs/x", "KEY=VALUE"]),
        (["--cfg", "jobb"], ["jobb", "--help"]),
        (["--multirunn"], ["--multirunn", "--help"]),
        (["-m", "--cfg", "job"], ["takes one"]),
        (["store.codec=gzip"], ["store.codec=gzip", "log16"]),
        (["corpus.limit=many"], ["corpus.limit=many is not possible", "Integer"]),
        (["corpora.syntax.limit=3"], ["corpora.syntax=conllu"]),
        (["corpora.syntax=treebank"], ["there is no corpus treebank", "list"]),
        (["corpus=conllu"], ["corpus.path"]),
        (["corpus=conllu", "corpus.path=nowhere.conllu"], ["nowhere.conllu", "No such file"]),
        (["corpus=ewt-dev", "corpus.path=http://127.0.0.1:1/x"], ["127.0.0.1:1/x", "network"]),
        (["model.path=nowhere"], ["model.path=", "nowhere", "folder"]),
        (["model=bert-base-uncased"], ["google-bert/bert-base-uncased", "model.path="]),
        (["run_dir=ftp://host/run"], ["ftp://host/run", "s3://BUCKET"]),
        (["model.dtype=bfloat16", "executor.gpus_per_extractor=0"], ["bfloat16", "GPU"]),
        (["metrics=[syntax"], ["quotes"]),
        (["corpus.path=[ö"], ["quotes"]),
        (["seed=" + "9" * 5000], ["seed=999", "too many digits"]),
        (["max_tokens=" + "[" * 2000 + "1" + "]" * 2000], ["max_tokens=[[", "too many others"]),
    ],
)
def test_a_configuration_that_cannot_be_used(overrides: list[str], parts: list[str]) -> None:
    line = refusal("run", "executor=serial", *overrides)
    for part in parts:
        assert part in line


def test_a_corpus_that_cannot_be_read_says_file_and_line(tmp_path: Path) -> None:
    corpus = tmp_path / "broken.conllu"
    corpus.write_text(WORD + "\n" + WORD.replace("\t0\t", "\tzero\t"))
    overrides = ("corpus=conllu", f"corpus.path={corpus}", f"run_dir={tmp_path / 'run'}")
    line = refusal("run", "executor=serial", *overrides)
    assert f"{corpus}:3:" in line
    assert "zero" in line
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_a_run_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = ("executor=serial", f"run_dir={tmp_path / 'file'}")
    assert "is a file" in refusal("run", *said, scratch=True)


def test_a_run_folder_under_a_file(tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    said = ("executor=serial", f"run_dir={file / 'run'}", f"model.path={tiny_model}")
    line = refusal("run", *said, scratch=True)
    assert line.startswith(f"attnray: {file}")
    assert "Not a directory" in line
