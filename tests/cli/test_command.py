"""The command `attnray`: its help, its version, its jobs and what it refuses."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import attnray
from attnray.cli.help import JOBS
from tests.builders.jobs import ROOT, environment

#: What takes seconds to import.
HEAVY = ("torch", "ray", "transformers", "numpy", "pyarrow", "matplotlib")


def attnray_command(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attnray", *arguments],
        env={**environment(), "PYTHONPATH": str(ROOT), **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_has_a_line_for_every_job_and_says_how_to_get_more() -> None:
    done = attnray_command("--help")
    assert done.returncode == 0
    for job in JOBS:
        (line,) = (each for each in done.stdout.splitlines() if each.startswith(f"  {job} "))
        assert line.endswith(".")
    assert "attnray JOB --help" in done.stdout
    assert attnray_command().stdout == done.stdout


def test_help_of_a_job_names_the_command() -> None:
    shown = attnray_command("plan", "--help").stdout
    assert JOBS["plan"][0] in shown
    assert "attnray plan run_dir=DIR" in shown
    assert "jobs/" not in shown


def test_the_version() -> None:
    assert attnray_command("--version").stdout == f"attnray {attnray.__version__}\n"


def test_a_job_is_done() -> None:
    assert "minilm" in attnray_command("list").stdout
    done = attnray_command("run", "max_tokens=2")
    assert (done.returncode, done.stderr[:9]) == (2, "attnray: ")


def test_a_run_keeps_the_command_that_began_it(tiny_model: Path, tmp_path: Path) -> None:
    given = ["plan", f"model={tiny_model}", "corpus.limit=2", f"run_dir={tmp_path / 'run'}"]
    assert attnray_command(*given).returncode == 0
    made = json.loads((tmp_path / "run/manifest.json").read_text())["made"]
    assert made["command"] == shlex.join(["python", "-m", "attnray", *given])


def test_an_unknown_job_is_refused_with_the_nearest() -> None:
    done = attnray_command("analyze", "run_dir=x")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("attnray: there is no job analyze: did you mean analyse?")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from attnray.__main__ import main; main()\n"
        f"assert not set({HEAVY}) & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
