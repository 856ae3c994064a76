"""What is being done is said at once on a terminal, and elsewhere where it takes long."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from attnray.cli import doing as module
from attnray.cli.doing import doing


class Terminal(io.StringIO):
    """A terminal that keeps what it is shown."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("kind", "shown"), [(Terminal, True), (io.StringIO, False)])
def test_a_terminal_is_told_at_once(
    kind: type[io.StringIO], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = kind()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with doing("tables and report"):
        pass
    assert ("tables and report" in stderr.getvalue()) == shown


def test_what_takes_long_is_told_once_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()

    class Pipe(io.StringIO):
        def flush(self) -> None:
            told.set()

    monkeypatch.setattr(sys, "stderr", pipe := Pipe())
    monkeypatch.setattr(module, "LONG_SECONDS", 0)
    with doing("tables and report"):
        told.wait()
    assert pipe.getvalue() == "tables and report …\n"
