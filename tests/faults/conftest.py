"""A run of the tiny model that a fault is to befall."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.trial import Trial


@pytest.fixture
def trial(undisturbed: Path, tiny_settings: tuple[str, ...], tmp_path: Path) -> Iterator[Trial]:
    """The run, not started yet; none of its processes outlives the test."""
    trial = Trial(undisturbed, tmp_path / "run", tiny_settings)
    yield trial
    trial.end()
