"""What the tests of the model share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from attnray.config import ModelConfig
from attnray.model.source import locate
from tests.builders.families import FAMILIES, tiny_checkpoint


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The checkpoint folder of the real all-MiniLM-L6-v2, 6 layers x 12 heads."""
    config = ModelConfig(hub="sentence-transformers/all-MiniLM-L6-v2", name="minilm")
    return locate(config, 0).folder


@pytest.fixture(scope="session")
def checkpoint_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a family's tiny checkpoint; it is made once, and not to be changed."""

    @cache
    def made(family: str) -> Path:
        return tiny_checkpoint(family, tmp_path_factory.mktemp("families") / family)

    return made


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Each family in turn."""
    return str(request.param)


@pytest.fixture
def tiny(family: str, checkpoint_of: Callable[[str], Path]) -> Path:
    """The tiny checkpoint of the family; not to be changed."""
    return checkpoint_of(family)
