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
    from attnray.cli import main
    main.END_SECONDS = 3600  # for its process does not end with it
    sys.argv[1:] = overrides
    with suppress(SystemExit):
        main.main(name)

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
        "repr(run.errors('obj')), repr(run.best('obj').head)",
        "run[0].plot(1, 1)",
        f"job('report', 'run_dir={run_dir}')",
        f"job('report', 'run_dir={run_dir}', 'examples=[3,14]')",
        f"job('status', '{run_dir}')",
        "import attnray.explore.server",
        f"job('compare', 'runs=[{run_dir},{other}]', 'run_dir={tmp_path / 'comparison'}')",
    ]
    assert imported(HEAVY, *statements) == {each: [] for each in statements}
    assert report.stat().st_mtime_ns > before
    assert (tmp_path / "comparison" / "report.html").is_file()


def test_what_files_tell_is_refused_before_a_model_is_imported(
    undisturbed: Path, tiny_model: Path, tmp_path: Path
) -> None:
    (empty := tmp_path / "empty").mkdir()
    (other := tmp_path / "gpt").mkdir()
    (other / "config.json").write_text('{"model_type": "gpt2"}')
    for name in ("model.safetensors", "vocab.txt", "a.docx"):
        (other / name).touch()
    train = f"corpora.train={tmp_path}/nowhere.conllu"
    refused = {
        f"corpus={tmp_path}/nowhere.conllu": "nowhere.conllu: No such file",
        f"corpus.path={tmp_path}/*.conllu": "no file matches",
        f"corpora.dev=conllu corpora.dev.path={tmp_path}": "Is a directory",
        f"corpus={other}/a.docx": "tells no format",
        "corpus.path=gopher://host/a.conllu": "gopher:// is not possible",
        f"metrics=[probes] {train}": "nowhere.conllu: No such file",
        f"metrics=[probes] corpora.train=sample probe.vectors={tmp_path}/glove": "no such file",
        f"model={tmp_path}/nowhere": "no such folder",
        f"model={empty}": "no config.json",
        f"model={other}": "the model type is gpt2",
        f"-m model={empty},{other}": "the model type is gpt2",
        f"run_dir={other}/a.docx": "is a file",
        f"run_dir={undisturbed} model={tiny_model} seed=3": "seed was 0 and is 3",
    }
    statements = [f"job('run', *{said.split()!r})" for said in refused]
    statements += ["job('report')", f"job('report', '{empty}')", "job('reduce')", "job('compare')"]
    found = imported(HEAVY, *statements, refused=[*refused.values(), *["run"] * 4])
    assert found == {each: [] for each in statements}


def test_no_model_is_imported_to_analyse() -> None:
    """Each worker that analyses starts with this."""
    statement = "import attnray.stages.analyse"
    assert imported(HEAVY, statement) == {statement: ["torch"]}


def imported(
    heavy: Sequence[str], *statements: str, refused: Sequence[str] = ()
) -> dict[str, list[str]]:
    """What is imported of some modules once each of the statements has been run.

    `refused` has a part of the line in which each of them ends.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(heavy), json.dumps(statements)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [each for each in done.stderr.splitlines() if each.startswith("attnray: ")]
    for line, part in zip(lines, refused, strict=True):
        assert part in line
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found
