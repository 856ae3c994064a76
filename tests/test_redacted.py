"""Passwords and signatures of addresses: sent where they belong, and shown and kept nowhere."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import pytest

from attnray.cli.main import _status
from attnray.errors import IncompleteRun, InputError, describe
from attnray.redacted import redacted
from tests.builders.jobs import markers, refusal, run_job
from tests.builders.server import serving


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pass@example.org/a/x.conllu", "https://example.org/a/x.conllu"),
        ("https://me:p%40ss@example.org:80/a@b", "https://example.org:80/a@b"),
        ("http://me:pa/ss@example.org/x", "http://example.org/x"),
        ("https://example.org:8080/@scope/x", "https://example.org:8080/@scope/x"),
        ("https://example.org/x?X-Amz-Signature=0a/b&Key=c", "https://example.org/x?…"),
        ("https://example.org/x?token", "https://example.org/x?…"),
        ("https://example.org/x#access_token=t", "https://example.org/x#…"),
        ("HTTPS://example.org/x?k=v: not found; why", "HTTPS://example.org/x?…: not found; why"),
        ("'https://a.org/x?k=v' (s3://key:word@b/k)", "'https://a.org/x?…' (s3://b/k)"),
        ("s3://bucket/part-?/*.conllu", "s3://bucket/part-?/*.conllu"),
        ("s3://bucket/x?X-Amz-Signature=0a", "s3://bucket/x?…"),
        ("hf://datasets/a/b@main/x.parquet", "hf://datasets/a/b@main/x.parquet"),
        ("a/b?c=d, me@example.org", "a/b?c=d, me@example.org"),
    ],
)
def test_what_is_shown_of_an_address(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown
    assert redacted({"a": [text, 7, None], "b": (text,)}) == {"a": [shown, 7, None], "b": (shown,)}


@pytest.mark.parametrize("kind", [InputError, IncompleteRun])
def test_no_error_tells_a_secret(kind: type[Exception]) -> None:
    assert str(kind("https://me:secret@a.org/x?k=secret: no")) == "https://a.org/x?…: no"
    assert describe(OSError("see https://a.org/x?k=secret")) == "OSError: see https://a.org/x?…"


def test_an_error_is_one_line_that_steers_no_terminal() -> None:
    assert str(InputError("a\x1b[2Jb\n  c\u202e")) == "a\ufffd[2Jb   c\ufffd"


@pytest.mark.parametrize(
    "setting",
    [
        "model=",
        "model.path=",
        "model.hub=",
        "corpus=",
        "corpus.path=",
        "corpus.path=[",
        "corpora.syntax.path=",
        "probe.vectors=",
        "run_dir=",
        "runs=[",
        "unheard-of=",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "ftp"])
def test_no_refusal_of_the_command_line_tells_a_secret(
    setting: str, scheme: str, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"{scheme}://me:hunter@127.0.0.1:1/x*?X-Amz-Signature=hunter"
    arguments = ["executor=serial", f"{setting}{address}"]
    assert _status("plan", arguments) in (
        1,
        2,
    )  # `main` ends the process, some seconds later in any case
    told = capfd.readouterr().err
    assert told.startswith("attnray: ")
    assert "hunter" not in told


def test_a_run_keeps_no_secret_and_goes_on_with_another(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    with serving() as server:
        server.files["/x.conllu"] = (files("attnray.corpus") / "sample.conllu").read_bytes()
        root = server.root.replace("//", "//me:hunter1@")

        def settings(name: str, secret: str) -> list[str]:
            path = f"corpus.path=['{root}/{name}?X-Amz-Signature={secret}']"
            tiny = (f"model.path={tiny_model}", "metrics=[patterns]", "executor=serial")
            return [f"run_dir={folder}", "corpus=conllu", path, "corpus.limit=2", *tiny]

        first = run_job("run", *settings("x.conllu", "hunter2"))
        assert first.returncode == 0, first.stderr
        assert f"downloading {server.root}/x.conllu?…" in first.stderr
        done, manifest = markers(folder, "extract"), (folder / "manifest.json").read_bytes()
        again = run_job("run", *settings("x.conllu", "hunter3"))
        assert again.returncode == 0, again.stderr
        assert markers(folder, "extract") == done
        assert (folder / "manifest.json").read_bytes() == manifest
        other = run_job("analyse", *settings("x.conllu", "hunter4"))
        assert other.returncode == 0, other.stderr
        lacking = refusal("run", *settings("none.conllu", "hunter5"))
    assert f"{server.root}/none.conllu?…: not found" in lacking
    kept = [each.read_bytes() for each in folder.rglob("*") if each.is_file()]
    names = [os.fsencode(each) for each in folder.rglob("*")]
    told = [each.encode() for job in (first, again, other) for each in (job.stdout, job.stderr)]
    assert not [each for each in [*kept, *names, *told, lacking.encode()] if b"hunter" in each]
    assert b"x.conllu" in (folder / "report.html").read_bytes()
