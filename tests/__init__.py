"""The tests; each folder mirrors one of attnray."""

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
pytest.register_assert_rewrite("tests.builders")
