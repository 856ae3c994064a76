"""The run over the sample that the tutorial has, opened from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import attnray
from attnray.interface.opened import Run
from tests.builders import shared_runs
from tests.builders.once import Once


@pytest.fixture(scope="session")
def folder(once: Once) -> Path:
    return shared_runs.sample(once) / "runs" / "sample"


@pytest.fixture
def run(folder: Path) -> Run:
    return attnray.open(folder)
