"""The lock files: they have what pyproject.toml asks for, each package once, and with hashes."""

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


def packages(file: str) -> Iterator[tuple[str, str, int]]:
    """The name, the version and the number of hashes of each package of a lock file."""
    for lines in re.split(r"^(?=\w)", (ROOT / file).read_text(), flags=re.M)[1:]:
        pin = Requirement(lines.partition("\\")[0].strip())
        (version,) = pin.specifier
        yield canonicalize_name(pin.name), version.version, lines.count("--hash=sha256:")


LOCKED = {name: version for file in FILES for name, version, _ in packages(file)}


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_there_once_with_hashes(file: str) -> None:
    found = list(packages(file))
    assert set(Counter(name for name, *_ in found).values()) == {1}
    assert all(hashes for *_, hashes in found)


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
    files = {name: file for file in RUNNING for name, *_ in packages(file)}
    assert files["torch"] == "requirements-torch.lock"
    cuda = {file for name, file in files.items() if re.match("nvidia-|cuda-|triton", name)}
    assert cuda == {"requirements-cuda.lock"}
