"""Runs to explore."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.jobs import succeed
from tests.builders.once import Once


@pytest.fixture(scope="session")
def few_kept(once: Once, tiny_settings: tuple[str, ...]) -> Path:
    """A run over the first documents of the sample that keeps the attention of three examples."""

    def make(folder: Path) -> None:
        kept = ("store=none", "store.sample=3", "corpus.limit=6", "metrics=[patterns,syntax]")
        succeed("run", "executor=serial", f"run_dir={folder / 'run'}", *tiny_settings, *kept)

    return once("few-kept", make) / "run"


@pytest.fixture(scope="session")
def no_cases(once: Once, tiny_settings: tuple[str, ...]) -> Path:
    """A run without cases."""

    def make(folder: Path) -> None:
        without = ("cases=false", "corpus.limit=4", "metrics=[syntax]")
        succeed("run", "executor=serial", f"run_dir={folder / 'run'}", *tiny_settings, *without)

    return once("no-cases", make) / "run"
