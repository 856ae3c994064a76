"""`attnray verify`: what is broken is named, and made again where that is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from attnray.cli.verify import verify
from attnray.errors import IncompleteRun
from tests.builders.jobs import refusal, succeed

#: A file of each kind that a run has.
BROKEN = (
    "shards/00001.parquet",
    "attention/00002.zarr/zarr.json",
    "attention/00003.zarr/weights/c/0/0/0",
    "partials/syntax/00004.parquet",
    "cases/syntax/00005.parquet",
    "tables/syntax_best.parquet",
    "figures/syntax.svg",
    "report.html",
    "done/extract/00006.json",
    "done/reduce-patterns/00000.json",
)


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run, its log aside."""
    files = {str(path.relative_to(run)): path for path in run.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if "log" not in name}


def test_what_is_broken_is_named_and_made_again(copied: Path, undisturbed: Path) -> None:
    assert succeed("verify", str(copied)) == f"{copied}: whole\n"
    for number, name in enumerate(BROKEN):
        content = bytearray((copied / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copied / name).write_bytes(content if number % 3 else content[:10])
    (copied / "partials" / "patterns" / "00007.parquet").unlink()
    line = refusal("verify", str(copied), status=1)
    for name in (*BROKEN, "partials/patterns/00007.parquet"):
        assert f"{copied / name} (" in line
    assert f"{copied}: {len(BROKEN) + 1} files are missing or damaged" in line
    assert "verify.py --repair" in line
    assert f"{copied}: whole\n" in succeed("verify", "--repair", str(copied))
    whole, made = contents(undisturbed), contents(copied)
    assert made.keys() == whole.keys()
    assert [name for name in made if made[name] != whole[name]] in ([], ["manifest.json"])


def test_what_is_not_done_yet_is_not_whole(tiny_settings: tuple[str, ...], tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    few = ("executor=serial", "corpus.limit=2", "metrics=[patterns]")
    succeed("plan", f"run_dir={run_dir}", *few, *tiny_settings)
    assert "done/extract/00000.json (missing)" in refusal("verify", str(run_dir), status=1)


def test_a_damaged_plan_is_told_with_what_to_do(
    copied: Path, undisturbed: Path, tiny_settings: tuple[str, ...]
) -> None:
    manifest = copied / "manifest.json"
    manifest.write_text(manifest.read_text().replace("2", "3", 1))
    assert "manifest.json: damaged" in refusal("verify", "--repair", str(copied))
    manifest.unlink()
    succeed("run", f"run_dir={copied}", "executor=serial", *tiny_settings)
    made, whole = contents(copied), contents(undisturbed)
    assert made.keys() == whole.keys()
    # These say when the run was begun, and where.
    dated = {"manifest.json", "report.html", "done/report/00000.json"}
    assert {name for name in made if made[name] != whole[name]} <= dated


def test_each_run_of_a_sweep_is_looked_at(
    undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = [tmp_path / "runs" / name for name in ("a", "b", "c")]
    for member in members:
        shutil.copytree(undisturbed, member)
    for member in members[1:]:
        (member / "report.html").unlink()
    with pytest.raises(IncompleteRun) as refusal:
        verify([str(tmp_path)])
    assert capsys.readouterr().out == f"{members[0]}: whole\n"
    for member in members[1:]:
        assert f"{member}: a file is missing or damaged" in str(refusal.value)


@pytest.mark.parametrize("arguments", [(), ("--repair",), ("a", "b"), ("--help-me",)])
def test_one_run_is_to_be_said(arguments: tuple[str, ...]) -> None:
    assert "verify.py RUN_DIR" in refusal("verify", *arguments)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    assert "no run folder there" in refusal("verify", str(tmp_path))
