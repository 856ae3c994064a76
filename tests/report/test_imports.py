"""What a page needs: no model, no cluster, and no folder of a run."""

from __future__ import annotations

import subprocess
import sys

import pytest

PAGES = ("page", "closing", "comparison", "reproduction_page")


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Every module that the pages import."""
    names = ", ".join(f"attnray.report.{name}" for name in PAGES)
    code = f"import sys, {names}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", ["torch", "transformers", "sklearn", "ray"])
def test_pages_import_nothing_that_runs_models(name: str, imported: set[str]) -> None:
    assert name not in imported


@pytest.mark.parametrize("folder", ["store", "stages", "executors", "cli"])
def test_pages_know_of_no_run(folder: str, imported: set[str]) -> None:
    assert f"attnray.{folder}" not in imported
