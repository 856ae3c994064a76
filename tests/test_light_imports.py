"""What reads a finished run, or only composes one, starts in no time: it imports no model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.builders.jobs import ROOT, SMALL, environment, succeed

#: Seconds each to import, of what reads a run's files and tables.
HEAVY = ("torch", "transformers", "sklearn", "ray")
#: Runs the statements that it is given one after another, and tells what each has imported.
PROGRAM = """
import json, sys
from contextlib import suppress

def job(name, *overrides):
    from attnray.cli.main import main
    sys.argv[1:] = overrides
    with suppress(SystemExit):
        main(name)

(heavy, statements), found = map(json.loads, sys.argv[1:]), {}
for statement in statements:
    exec(statement)
    found[statement] = [name for name in heavy if name in sys.modules]
print(json.dumps(found))
"""


def test_no_model_is_imported_to_read_and_report(tiny_model: Path, tmp_path: Path) -> None:
    run_dir, other = tmp_path / "run", tmp_path / "other"
    model = (f"model.path={tiny_model}", "corpus.limit=8", *SMALL)
    succeed("run", "executor=serial", f"run_dir={run_dir}", *model)
    shutil.copytree(run_dir, other)
    report = run_dir / "report.html"
    before = report.stat().st_mtime_ns
    statements = [
        "import attnray",
        "job('run', '--cfg', 'job')",
        "job('run', '--help')",
        f"run = attnray.open({str(run_dir)!r})",
        "run.table('syntax_best')",
        "run.cases('syntax', layer=1, head=1, right=False)",
        "run[0].attention(layer=1, head=1, words=True)",
        f"job('report', 'run_dir={run_dir}')",
        f"job('report', 'run_dir={run_dir}', 'examples=[3,14]')",
        f"job('status', '{run_dir}')",
        f"job('compare', 'runs=[{run_dir},{other}]', 'run_dir={tmp_path / 'comparison'}')",
    ]
    assert imported(HEAVY, *statements) == {each: [] for each in statements}
    assert report.stat().st_mtime_ns > before
    assert (tmp_path / "comparison" / "report.html").is_file()


def test_no_model_is_imported_to_analyse() -> None:
    """Each worker that analyses starts with this."""
    statement = "import attnray.stages.analyse"
    assert imported(HEAVY, statement) == {statement: ["torch"]}


def imported(heavy: Sequence[str], *statements: str) -> dict[str, list[str]]:
    """What is imported of some modules once each of the statements has been run."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(heavy), json.dumps(statements)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "attnray: " not in done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found
