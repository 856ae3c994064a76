"""The lock files: they have what pyproject.toml asks for, for each Python, and with hashes."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.builders.jobs import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
#: Those that the tests need.
EXTRAS = ("explore", "notebooks", "s3", "docs", "dev")
RUNNING = ("requirements.lock", "requirements-torch.lock", "requirements-cuda.lock")
FILES = (*RUNNING, "requirements-model.lock", "requirements-dev.lock")


#: Pythons on Linux, where all that is locked can be installed.
PYTHONS = [
    {"python_version": version, "python_full_version": f"{version}.9", "sys_platform": "linux"}
    for version in ("3.11", "3.12", "3.13", "3.14")
]


def packages(file: str) -> Iterator[tuple[Requirement, int]]:
    """Each pin of a lock file, and its number of hashes."""
    for lines in re.split(r"^(?=\w)", (ROOT / file).read_text(), flags=re.M)[1:]:
        yield Requirement(lines.partition("\\")[0].strip()), lines.count("--hash=sha256:")


def locked(file: str, python: dict[str, str]) -> list[tuple[str, str]]:
    """The name and version of what a lock file has for a Python."""
    pins = [pin for pin, _ in packages(file) if not pin.marker or pin.marker.evaluate(python)]
    return [(canonicalize_name(pin.name), str(pin.specifier)[2:]) for pin in pins]


LOCKED = dict(each for file in FILES for each in locked(file, PYTHONS[0]))


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_there_once_for_each_python_with_hashes(file: str) -> None:
    assert all(hashes for _, hashes in packages(file))
    names = [[name for name, _ in locked(file, python)] for python in PYTHONS]
    assert set(Counter(names[0]).values()) == {1}
    assert names.count(names[0]) == len(names)


def test_what_is_asked_for_is_locked() -> None:
    project = PROJECT["project"]
    asked = [*project["dependencies"]]
    asked += [each for extra in EXTRAS for each in project["optional-dependencies"][extra]]
    asked += [each for group in PROJECT["dependency-groups"].values() for each in group]
    for each in map(Requirement, asked):
        if each.name == "attnray":
            assert each.extras <= {*EXTRAS}
        elif each.marker is None or each.marker.evaluate({"python_version": "3.11"}):
            assert each.specifier.contains(LOCKED[canonicalize_name(each.name)]), each


def test_pytorch_has_files_of_its_own() -> None:
    files = {name: file for file in RUNNING for name, _ in locked(file, PYTHONS[0])}
    assert files["torch"] == "requirements-torch.lock"
    cuda = {file for name, file in files.items() if re.match("nvidia-|cuda-|triton", name)}
    assert cuda == {"requirements-cuda.lock"}
