"""What docstrings of the interface show is what it does."""

from __future__ import annotations

import doctest
import pkgutil
import shutil
from importlib import import_module
from pathlib import Path

import pytest

import attnray
from attnray import interface
from attnray.interface.opened import Run
from tests.builders.snippets import alike

pytestmark = pytest.mark.slow

MODULES = [
    "attnray",
    *(f"{interface.__name__}.{m.name}" for m in pkgutil.iter_modules(interface.__path__)),
]
TESTS = [
    test
    for name in MODULES
    for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(name))
    if test.examples
]


class Checker(doctest.OutputChecker):
    """Compares as pages are compared."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return alike(want, got)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
def test_docstrings(test: doctest.DocTest, run: Run, folder: Path, tmp_path: Path) -> None:
    failed: list[str] = []
    copied = shutil.copytree(folder, tmp_path / "run")
    test.globs |= {"attnray": attnray, "run": run, "RUN_DIR": copied}
    doctest.DocTestRunner(Checker()).run(test, out=failed.append)
    assert not failed, "".join(failed)


def test_there_are_some() -> None:
    assert {test.name.rpartition(".")[2] for test in TESTS} >= {"open", "run", "Run", "Example"}
