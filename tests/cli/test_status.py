"""What `attnray status` says of runs that are whole, at work, dead, and not planned to the end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from attnray.cli.status import status
from attnray.errors import InputError
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from tests.builders.jobs import markers, succeed

pytestmark = pytest.mark.slow

DEAD = "not complete, and nobody is at work on it: the same command goes on with it"


def said(place: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of status; it leaves everything as it is."""
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    status([str(place)])
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def examples(folder: Path, stage: str) -> int:
    """How many examples the shards have that a stage has done, by its markers."""
    manifest = Manifest.read(RunFolder(folder))
    assert manifest is not None
    sizes = {s: n for each in manifest.sets for s, n in zip(each.shards, each.sizes, strict=True)}
    return sum(sizes[int(name.removesuffix(".json"))] for name in markers(folder, stage))


def write_log(folder: Path, *lines: Sequence[object]) -> None:
    """A log of tasks: the second each ended at, stage, name, examples, an error or none."""
    shutil.rmtree(folder / "log")
    (folder / "log").mkdir()
    told: list[dict[str, object]] = [{"time": "2026-01-01T00:00:00+00:00", "event": "began"}]
    for second, stage, task, size, error in lines:
        line = {"time": f"2026-01-01T00:00:{second:02}+00:00", "stage": stage, "task": task}
        done = {"examples": size, "flop": 1.0, "seconds": 2.0}
        told.append(line | ({"error": error} if error else done))
    (folder / "log" / "1.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in told))


def test_a_whole_run_is_complete(undisturbed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = said(undisturbed, capsys)
    assert first == f"{undisturbed}: complete"
    count = examples(undisturbed, "extract")
    assert [line.partition(" (")[0] for line in others] == [
        f"tiny: extract {count} of {count}",
        f"tiny: analyse {count} of {count}",
    ]


def test_a_dead_run_tells_what_is_done_what_failed_and_its_pace(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    total = examples(copied, "extract")
    for path in (copied / "done" / "extract" / "00000.json", copied / "tables" / "syntax.parquet"):
        path.unlink()
    write_log(
        copied,
        (4, "extract", "shard 00001", 10, None),
        (6, "extract", "shard 00002", 30, None),
        (6, "extract", "shard 00000", 0, "OSError: broken"),
        (7, "analyse", "shard 00003", 0, "OSError: at first"),
        (8, "analyse", "shard 00003", 5, None),
    )
    first, extract, analyse, heard, *failed = said(copied, capsys)
    assert first == f"{copied}: {DEAD}"
    left = examples(copied, "extract")
    assert left < total
    assert extract.startswith(f"tiny: extract {left} of {total} (10 a second, about ")  # 40 in 4 s
    assert analyse.startswith(f"tiny: analyse {left} of {total} (2.5 a second, about ")
    assert heard.startswith("tiny: last heard of ")
    assert failed == ["tiny: shard 00000 (extract) failed: OSError: broken"]


def test_lines_of_the_log_that_are_damaged_are_left_out(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "report.html").unlink()
    write_log(copied, (4, "extract", "shard 00001", 10, None))
    (log,) = (copied / "log").glob("*")
    whole, sound = log.read_text(), said(copied, capsys)[:3]
    done = whole.splitlines()[-1]
    broken = [done.replace(f'"{key}"', '"x"') for key in ("time", "stage", "examples", "flop")]
    broken += ["{", "[]", '{"time": 3}', '{"time": "2026-11-28T05:00"}', '{"task": "shard 0"}']
    log.write_text("\n".join([whole, *broken]))
    assert said(copied, capsys)[:3] == sound


def test_a_run_at_work_tells_its_driver(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "report.html").unlink()
    with RunFolder(copied).hold():
        first, *_ = said(copied, capsys)
    assert first.startswith(f"{copied}: at work (process ")


def test_a_plan_that_is_not_whole_tells_how_far_it_is(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "manifest.json").unlink()
    shards = len([*(copied / "shards").glob("*.parquet")])
    first, planned, extracted = said(copied, capsys)
    assert "not planned to its end" in first
    assert planned == f"so far {shards} shards planned"
    assert extracted == f"{len(markers(copied, 'extract'))} shards extracted"


def test_a_sweep_tells_of_each_member_and_a_run_of_its_twin(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = [tmp_path / "sweep" / "runs" / name for name in "ab"]
    shutil.copytree(copied, members[0])
    shutil.copytree(copied, members[1])
    shutil.copytree(copied, members[1] / "controls" / "random")
    (members[1] / "controls" / "random" / "done" / "extract" / "00000.json").unlink()
    told = said(tmp_path / "sweep", capsys)
    assert [line for line in told if "complete" in line] == [
        f"{members[0]}: complete",
        f"{members[1]}: {DEAD}",
    ]
    assert len([line for line in told if "extract" in line]) == 3


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder there"):
        status([str(tmp_path)])
    with pytest.raises(InputError, match="attnray status RUN_DIR"):
        status([])


def test_it_is_a_job(undisturbed: Path) -> None:
    assert succeed("status", f"run_dir={undisturbed}").startswith(f"{undisturbed}: complete\n")
