"""The order of the folders: no module imports what stands above it; two files import Ray."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import attnray

ROOT = Path(attnray.__file__).parents[1]
#: From top to bottom; each imports itself and what is below.
LAYERS = (
    "jobs",
    "attnray.interface",
    "attnray.cli",
    "attnray.compare",
    "attnray.explore",
    "attnray.executors",
    "attnray.stages",
    "attnray.tables",
    "attnray.report",
    "attnray.reading",
    "attnray.probe",
    "attnray.store",
    "attnray.metrics",
    "attnray.corpus",
    "attnray.model",
    "attnray.config",
    "attnray.credentials",
    "attnray.errors",
    "attnray.called",
    "attnray.redacted",
    "attnray.nearest",
)
#: The package itself: its version, `open`, and where its files are.
PACKAGE = ("attnray", "attnray.__main__", "attnray.__version__")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    name_of(path): path for folder in ("attnray", "jobs") for path in (ROOT / folder).rglob("*.py")
}


def imported(path: Path) -> Iterator[str]:
    """The full name of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(name: str) -> int:
    """The place of a module, or of something in it, in the order."""
    (found,) = (place for place, each in enumerate(LAYERS) if f"{name}.".startswith(f"{each}."))
    return found


@pytest.mark.parametrize("name", sorted(MODULES.keys() - set(PACKAGE)))
def test_imports_run_downwards(name: str) -> None:
    for each in imported(MODULES[name]):
        if each.partition(".")[0] in ("attnray", "jobs") and each not in PACKAGE:
            assert layer(each) >= layer(name), f"{name} imports {each}"


def test_every_layer_is_there() -> None:
    assert {layer(name) for name in MODULES.keys() - set(PACKAGE)} == set(range(len(LAYERS)))


def test_ray_is_imported_where_it_is_connected_to() -> None:
    scripts = {name_of(path): path for path in (ROOT / "scripts").rglob("*.py")}
    importing = {
        name
        for name, path in {**MODULES, **scripts}.items()
        if any(each.partition(".")[0] == "ray" for each in imported(path))
    }
    assert importing == {"attnray.executors.address", "attnray.executors.connection"}
