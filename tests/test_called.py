"""How a job was called: as it can be called again, without secrets."""

from __future__ import annotations

import sys

import pytest

from attnray.called import said


@pytest.mark.parametrize(
    ("given", "command"),
    [
        (["jobs/run.py", "-m", "model=a,b"], "python jobs/run.py -m model=a,b"),
        (
            ["/usr/bin/attnray", "run", "corpus=my file.conllu"],
            "attnray run 'corpus=my file.conllu'",
        ),
        (["/lib/attnray/__main__.py", "run"], "python -m attnray run"),
        (
            ["/usr/bin/attnray", "run", "corpus.path=https://ann:pass@host/a.conllu?token=b"],
            "attnray run 'corpus.path=https://host/a.conllu?…'",
        ),
        (["notebook.py", "corpus=a"], ""),
    ],
)
def test_a_command_can_be_said_again(
    monkeypatch: pytest.MonkeyPatch, given: list[str], command: str
) -> None:
    monkeypatch.setattr(sys, "argv", given)
    assert said() == command
