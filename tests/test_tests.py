"""The tests themselves: what holds of all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MODULES = {str(path.relative_to(TESTS)): path for path in sorted(TESTS.rglob("*.py"))}


def imported(path: Path) -> Iterator[str]:
    """The full name of everything that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("name", MODULES)
def test_what_tests_share_is_in_builders(name: str) -> None:
    for each in imported(MODULES[name]):
        assert not each.startswith("tests.") or each.startswith("tests.builders"), each


@pytest.mark.parametrize("name", MODULES)
def test_the_profile_alone_sets_deadlines(name: str) -> None:
    if name not in ("conftest.py", Path(__file__).name):
        without = MODULES[name].read_text().replace("executor.deadline=", "")
        assert "deadline=" not in without
