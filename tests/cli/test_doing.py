"""What is being done is said on a terminal, and nowhere else."""

from __future__ import annotations

import io
import sys

import pytest

from attnray.cli.doing import doing


class Terminal(io.StringIO):
    """A terminal that keeps what it is shown."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("kind", "shown"), [(Terminal, True), (io.StringIO, False)])
def test_a_terminal_alone_is_told(
    kind: type[io.StringIO], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = kind()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with doing("tables and report"):
        pass
    assert ("tables and report" in stderr.getvalue()) == shown
