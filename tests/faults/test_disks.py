"""Disks that are full or take nothing: small or read-only ones, mounted for one process alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.jobs import ROOT, command, environment, tables
from tests.builders.trial import chosen

#: Where nobody may mount, this cannot be tried.
APART = ["unshare", "--map-root-user", "--mount", "bash", "-ec"]
ALLOWED = (
    shutil.which("unshare") and not subprocess.run([*APART, "mount -t tmpfs none /mnt"]).returncode
)
pytestmark = pytest.mark.skipif(not ALLOWED, reason="nothing can be mounted here")

#: A disk of so many bytes is full at some moment, and then it has room; what was made is copied.
FULL = """
mount -t tmpfs -o size="$1" none "$2"
cd /
"${@:4}" 2> "$3/first" && status=0 || status=$?
echo $status > "$3/status"
mount -o remount,size=1g "$2"
"${@:4}" 2> "$3/again"
cp -r "$2"/run/tables "$3"
"""
#: The run, the home and the code cannot be written.
READ_ONLY = """
for each in "$1" "$2" "$3"; do
    mount --bind "$each" "$each"
    mount -o remount,bind,ro "$each"
done
cd /
HOME="$2" "${@:4}"
"""

#: Of the room that a run takes, how much there is.
SHARES = (0.01, 0.1, 0.3, 0.6, 0.9, 0.95)


def apart(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*APART, script, "", *arguments],
        env=environment() | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("executor", "share"),
    [("serial", share) for share in chosen(SHARES, 1)]
    + [("ray", share) for share in chosen(SHARES, 0)],
)
def test_a_full_disk(
    executor: str,
    share: float,
    undisturbed: Path,
    tiny_settings: tuple[str, ...],
    tmp_path: Path,
) -> None:
    whole = sum(path.stat().st_size for path in undisturbed.rglob("*") if path.is_file())
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    line = command("run", f"executor={executor}", f"run_dir={disk / 'run'}", *tiny_settings)
    done = apart(FULL, str(int(share * whole)), str(disk), str(kept), *line)
    assert done.returncode == 0, (kept / "again").read_text()
    said = (kept / "first").read_text()
    assert (kept / "status").read_text() == "1\n", said
    (told,) = [line for line in said.splitlines() if line.startswith("attnray: ")]
    assert told.startswith(f"attnray: {disk}")
    assert "No space left on device: free some space" in told
    assert "Traceback" not in said
    assert tables(kept) == tables(undisturbed)


def test_a_finished_run_that_cannot_be_written(
    copied: Path, tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    line = command("run", "executor=serial", f"run_dir={copied}", *tiny_settings)
    before = {path: path.stat().st_mtime_ns for path in copied.rglob("*")}
    done = apart(READ_ONLY, str(copied), str(home), str(ROOT), *line)
    assert done.returncode == 0, done.stderr
    assert f"report:  {copied / 'report.html'}" in done.stdout
    assert "atplotlib" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in copied.rglob("*")} == before
    line = command("run", "executor=serial", f"run_dir={copied}", *tiny_settings, "examples=[1]")
    refused = apart(READ_ONLY, str(copied), str(home), str(ROOT), *line)
    assert refused.returncode == 2
    (told,) = [line for line in refused.stderr.splitlines() if line.startswith("attnray: ")]
    assert "Read-only file system" in told
    assert str(copied) in told


def test_a_home_and_code_that_cannot_be_written(tiny_model: Path, tmp_path: Path) -> None:
    home, run_dir = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    run_dir.mkdir()
    small = (f"model.path={tiny_model}", "corpus.limit=1", "metrics=[patterns]")
    line = command("run", "executor=serial", f"run_dir={run_dir / 'run'}", *small)
    # (Of what the script makes read-only, the first is not used.)
    done = apart(READ_ONLY, str(tiny_model), str(home), str(ROOT), *line)
    assert done.returncode == 0, done.stderr
    assert (run_dir / "run" / "report.html").is_file()
    assert not os.listdir(home)
