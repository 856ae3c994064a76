"""Every command and snippet of README and docs/ does what its page says.

What a fenced block is for its language tells:

- `console`: commands behind `$ `, which are run in a folder with the run of the tutorial, and
  print what stands below them.
- `python`, `pycon`: run there, the blocks of a page one after another; `pycon` prints what it
  shows, and what begins with the name of a file, as `# mine.py`, is that file.
- `bash`: what cannot be run here, for it needs a hub, a cluster or hours, or would only do again
  what another test does: its shell is checked, each setting composed, and nothing is in it that
  this test does not know.
- `yaml`, `json`: can be read. `text`: a listing, without a command.
"""

from __future__ import annotations

import doctest
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from attnray.cli.checks import check
from attnray.cli.choices import configuration_folder, register_models
from attnray.cli.help import JOBS
from attnray.cli.overrides import known_to_hydra
from attnray.config import register
from attnray.config import typed as configuration
from tests.builders import shared_runs
from tests.builders.jobs import ROOT, run_job
from tests.builders.once import Once
from tests.builders.snippets import (
    PAGES,
    Block,
    alike,
    blocks,
    mentioned,
    simple_commands,
    typed,
)

BLOCKS = [*blocks()]
DOCS = ROOT / "docs"
RAYJOB = yaml.safe_load((DOCS / "rayjob.yaml").read_text())
#: The run that pages look at, as the tutorial starts it, and what it prints.
STARTED = ("attnray run run_dir=runs/sample", "make demo")
#: Jobs without settings: they take a run folder.
PLAIN = {"status", "verify", "list", "explore"}

#: What else may be in a script.
OTHERS = {"eval", "export", "git", "kubectl", "pip", "python", "ray", "sbatch", "set", "source"}

RUN_HERE = ("console", "python", "pycon")


def of(*languages: str) -> list[Block]:
    return [each for each in BLOCKS if each.language in languages]


@pytest.fixture(scope="session")
def sample(once: Once) -> Path:
    return shared_runs.sample(once)


@pytest.mark.parametrize("page", sorted({each.page for each in of(*RUN_HERE)}))
def test_what_is_run_gives_what_the_page_shows(
    page: str, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(sample, tmp_path / "folder"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, Any] = {"RUN_DIR": "runs/sample"}
    for block in of(*RUN_HERE):
        if block.page == page:
            _run(block, names)


def _run(block: Block, names: dict[str, Any]) -> None:
    if name := re.match(r"# (\w+\.py)\n", block.text):
        Path(name[1]).write_text(block.text, encoding="utf-8")
    elif block.language == "python":
        exec(compile("\n" * block.line + block.text, block.page, "exec"), names)
    elif block.language == "pycon":
        _interact(block, names)
    else:
        for command, shown in typed(block.text):
            printed = _typed(command)
            assert alike(shown, printed), f"{block}: {command} printed\n{printed}"


def _interact(block: Block, names: dict[str, Any]) -> None:
    class Checker(doctest.OutputChecker):
        def check_output(self, want: str, got: str, optionflags: int) -> bool:
            return alike(want, got)

    test = doctest.DocTestParser().get_doctest(
        block.text, names, str(block), block.page, block.line
    )
    failed: list[str] = []
    doctest.DocTestRunner(Checker()).run(test, out=failed.append, clear_globs=False)
    names |= test.globs
    assert not failed, "".join(failed)


def _typed(command: str) -> str:
    """What a command prints."""
    if command in STARTED:
        return Path("printed").read_text()
    words = next(simple_commands(command))
    job, arguments = _job(words)
    if job is None:
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    else:
        serial = () if job in PLAIN | {"compare"} else ("executor=serial",)
        done = run_job(job, *_expanded(arguments), *serial, cwd=Path.cwd())
    return done.stdout + (done.stderr if done.returncode else "")


def _expanded(arguments: list[str]) -> list[str]:
    return [path for each in arguments for path in (sorted(glob(each)) or [each])]


@pytest.fixture(scope="module")
def hydra() -> Iterator[None]:
    """Composes settings as a job does."""
    register()
    register_models()
    with initialize_config_dir(str(configuration_folder()), version_base=None):
        yield


#: A file of this machine that a command names, and that is to be there.
CORPUS = re.compile(r"(?<![\w/:.*-])[\w.-][\w./-]*\.(?:conllu|jsonl|txt|tsv)\b")
SCRIPTS = [
    *of("bash"),
    Block("docs/attnray.sbatch", 1, "bash", (DOCS / "attnray.sbatch").read_text()),
    Block("docs/rayjob.yaml", 6, "bash", RAYJOB["spec"]["entrypoint"]),
]


@pytest.mark.parametrize("block", SCRIPTS, ids=str)
@pytest.mark.usefixtures("hydra")
def test_what_is_not_run_is_possible(
    block: Block, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["bash", "-n", "-c", block.text], check=True)
    monkeypatch.chdir(tmp_path)
    _put("path/to/checkpoint").symlink_to(tiny_model)
    for name in CORPUS.findall(block.text):
        _put(name).write_bytes((ROOT / "attnray" / "corpus" / "sample.conllu").read_bytes())
    for words in simple_commands(re.sub(r"(^| )#.*", "", block.text, flags=re.M)):
        _possible(words)


def _put(name: str) -> Path:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    return Path(name)


def _possible(words: list[str]) -> None:
    job, arguments = _job(words)
    if job is not None:
        _composes(job, arguments)
    elif words[0] == "make":
        assert words[1] in targets()
    elif "--" in words:  # what Ray is to run
        _possible(words[words.index("--") + 1 :])
    elif words[0] == "env":
        _possible([each for each in words[1:] if not re.match(r"\w+=", each)])
    elif words[0].endswith("python") and words[1].startswith("scripts/"):
        program = (ROOT / words[1]).read_text()
        assert all(f'"{each}"' in program for each in words if each.startswith("--"))
    else:
        assert words[0] in OTHERS, f"what is {words}?"


def targets() -> list[str]:
    """Those of the Makefile."""
    return re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)


def _job(words: list[str]) -> tuple[str | None, list[str]]:
    """The job that a command does, with its settings; None of another command."""
    if Path(words[0]).name == "attnray" and len(words) > 1 and words[1] in JOBS:
        return words[1], words[2:]
    if words[0].endswith("python") and len(words) > 1 and words[1].startswith("jobs/"):
        return Path(words[1]).stem, words[2:]
    if words[1:3] == ["-m", "attnray"]:
        return words[3], words[4:]
    return None, []


def _composes(job: str, arguments: list[str]) -> None:
    assert job in JOBS
    if job in PLAIN or arguments[:1] == ["--help"]:
        return
    settings = known_to_hydra([each for each in arguments if each not in ("-m", "--multirun")])
    parsed = OverridesParser.create().parse_overrides(settings)
    for member in BasicSweeper.split_arguments(parsed, None)[0]:
        check(configuration(compose("config", overrides=list(member))))


def test_ray_has_what_the_script_for_slurm_starts() -> None:
    assert "symmetric-run" in (DOCS / "attnray.sbatch").read_text()
    found = find_spec("ray")
    assert found is not None
    assert found.origin is not None
    assert (Path(found.origin).parent / "scripts" / "symmetric_run.py").is_file()


def test_what_is_data_can_be_read() -> None:
    for block in of("yaml", "json"):
        (json.loads if block.language == "json" else yaml.safe_load)(block.text)


def test_every_block_is_known() -> None:
    known = ("console", "python", "pycon", "bash", "yaml", "json", "text")
    assert not [f"{each}: {each.language!r}" for each in BLOCKS if each.language not in known]
    commands = re.compile(r"^(\$|>>>|attnray|make|python|\.venv|ray) ", re.M)
    assert not [str(each) for each in of("text") if commands.search(each.text)]


def test_commands_in_sentences_are_there() -> None:
    jobs = {*JOBS, "completion", "--help", "--version", "JOB"}
    for page, (program, first, *_) in mentioned():
        known = {
            "make": first in targets(),
            "python": first in ("-m", "jobs/JOB.py") or (ROOT / first).is_file(),
            "attnray": first in jobs,
        }
        assert known[program], f"{page}: {program} {first}"


def test_links_lead_to_files() -> None:
    for path in PAGES:
        for link in re.findall(r"\]\((?!\w+:)([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
