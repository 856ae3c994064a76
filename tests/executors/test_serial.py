"""The serial executor."""

from __future__ import annotations

from tests.builders.executor_tests import ExecutorTests


class TestSerial(ExecutorTests):
    """One process, one piece of work after another."""

    executor = "executor=serial"
