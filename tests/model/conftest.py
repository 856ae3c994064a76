"""What the tests of the model share."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnray.config import ModelConfig
from attnray.model.source import locate


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The checkpoint folder of the real all-MiniLM-L6-v2, 6 layers x 12 heads."""
    config = ModelConfig(hub="sentence-transformers/all-MiniLM-L6-v2", name="minilm")
    return locate(config, 0).folder
