"""Completion: what a word can become, and that a real shell gets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from attnray.cli.completion import SCRIPTS, answer
from attnray.cli.help import JOBS
from attnray.metrics.registry import NAMES
from tests.builders.jobs import ROOT, environment


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("attnray re", ["reduce ", "report "]),
        ("attnray run mod", ["model.", "model="]),
        ("attnray run model.ha", []),
        ("attnray run corpora.sy", ["corpora.syntax.", "corpora.syntax="]),
        ("attnray run corpora.syntax.pa", ["corpora.syntax.path="]),
        ("attnray run corpora.syntax=ewt-d", ["corpora.syntax=ewt-dev "]),
        ("python jobs/run.py seed=1 store=l", ["store=log16 "]),
        ("/a/python3 /b/jobs/run.py executor=", ["executor=ray ", "executor=serial "]),
        ("python -m attnray run merge=m", ["merge=max ", "merge=mean "]),
        ("attnray run -m model=minilm,roberta-b", ["model=minilm,roberta-base "]),
        ("attnray run metrics=[", [f"metrics=[{each}" for each in sorted(NAMES)]),
        ("attnray run metrics=[patterns,sy", ["metrics=[patterns,syntax"]),
        ("attnray run cases=", ["cases=false ", "cases=true "]),
        ("attnray run corpus.format=js", ["corpus.format=json "]),
        ("attnray run experiment=c", ["experiment=clark2019 "]),
        ("attnray verify --r", ["--repair "]),
        ("attnray completion b", ["bash "]),
        ("python other.py mo", None),
        ("python jobs/other.py mo", None),
    ],
)
def test_what_a_word_can_become(line: str, found: list[str] | None) -> None:
    assert answer(line) == found


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "two words.conllu").touch()
    (tmp_path / "run").mkdir()
    for key in ("corpus.path", "corpora.dev.path", "corpora.dev", "run_dir"):
        start = f"{key}={tmp_path}/"
        assert answer(f"attnray run {start}r") == [f"{start}run/"]
    assert answer(f"attnray run model={tmp_path}/t") == [f"model={tmp_path}/two\\ words.conllu "]
    assert answer(f"attnray status {tmp_path}/r") == [f"{tmp_path}/run/"]


@pytest.mark.parametrize("program", ["python jobs/run.py", "python -m attnray run"])
def test_bash_gets_what_follows_the_equals_sign(program: str) -> None:
    line = f"{program} model=bert-L2-H1"
    ask = (
        f"COMP_LINE='{line}'; COMP_POINT={len(line)}; _attnray_complete '{sys.executable}'; "
        "printf '%s|' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", SCRIPTS["bash"] + ask],
        env={**environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "bert-L2-H128 |"


def test_every_job_and_shell_is_there() -> None:
    assert answer("attnray ") == [f"{each} " for each in (*JOBS, "completion")]
    assert answer("attnray completion ") == [f"{each} " for each in SCRIPTS]
