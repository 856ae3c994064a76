"""A release: one version everywhere, and a wheel that has all it needs."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import attnray
from tests.builders.jobs import ROOT, environment

#: Where the wheel has what lies in these folders.
FOLDERS = {"attnray": "attnray", "conf": "attnray/conf"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_version_is_one() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    changes = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert attnray.__version__ == cited == changes[0]


def test_the_wheel_has_every_file(wheel: Path) -> None:
    there = {
        f"{inside}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, inside in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"attnray/py.typed", "attnray/conf/models.csv"} <= there <= names
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)


def test_licences_of_all_that_is_bundled_are_listed(wheel: Path) -> None:
    bundle = files("itables").joinpath("html", "dt_bundle.js").read_text("utf-8")
    comment = bundle[bundle.index("Bundled license information") :]
    parts = set(re.findall(r"^([\w.-]+)/\S+\.m?js:$", comment, re.M))
    listed = (ROOT / "docs" / "licences.md").read_text()
    assert parts == set(re.findall(r"`((?:datatables\.net|jquery|jszip)[\w.-]*)`", listed))
    # What else pages are made of is in the wheel, and none of it is others' work.
    sources = {path: path.read_text() for path in (ROOT / "attnray").rglob("*.py")}
    from_packages = {e for s in sources.values() for e in re.findall(r'\bfiles\("(\w+)', s)}
    assert from_packages <= {"itables", "attnray"}
    with ZipFile(wheel) as archive:
        assert any(name.endswith("licenses/docs/licences.md") for name in archive.namelist())
        for name in archive.namelist():
            if name.endswith((".js", ".css")):
                assert not re.search(rb"licen[cs]e|copyright", archive.read(name), re.I), name


def test_the_wheel_works_by_itself_in_an_empty_folder(
    wheel: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        (entry,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "attnray = attnray.__main__:main" in archive.read(entry).decode()
    (empty := tmp_path / "empty").mkdir()
    names_a_file = re.compile(r"\b(jobs|conf|docs|scripts|tests)/\w+\.\w+|README|Makefile")

    def command(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "attnray", *arguments],
            cwd=empty,
            env={**environment(), "PYTHONPATH": str(tmp_path / "installed")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        told = (done.stdout + done.stderr).replace(str(tmp_path / "installed"), "")
        assert not names_a_file.search(told.replace("/attnray/conf/config.yaml", ""))
        return done.stdout + done.stderr

    run = ("executor=serial", f"model={tiny_model}", "corpus.limit=2", "run_dir=run")
    assert "report.html" in command("run", *run)
    assert not names_a_file.search((empty / "run" / "report.html").read_text())
    assert [path.name for path in empty.iterdir()] == ["run"]
    assert "whole" in command("verify", "run")
    assert "roberta-base" in command("list")
    settings = re.search(r"/\S+config.yaml", command("run", "--help"))
    assert settings is not None
    assert Path(settings[0]).is_file()
    command("run", "zzz=3", status=2)
    command("reduce", "empty", status=2)
