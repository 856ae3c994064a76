"""`attnray.run` does what the command does, and refuses with its lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import attnray
from attnray.cli.compose import configuration
from attnray.interface.start import _written
from tests.builders.jobs import markers, refusal, tables


def test_it_makes_the_run_of_the_command(
    undisturbed: Path, tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the same settings in dicts; the second time nothing is left to do."""
    folder = tmp_path / "a run"
    given: dict[str, Any] = {
        "model.path": tiny_model,
        "store": {"block_mib": 1, "chunk_cells": 1024},
        "shard.examples": 12,
        "metrics": ["syntax"],
    }
    run = attnray.run(given, executor="serial", batch={"tokens": 160}, run_dir=folder)
    assert run.folder == folder
    made, expected = tables(folder), tables(undisturbed)
    del made["corpus.parquet"]  # of fewer kinds of example
    assert made
    assert made.items() <= expected.items()
    shown = capfd.readouterr()
    assert "extract" in shown.err
    assert f"report:  {folder / 'report.html'}" in shown.out
    before = markers(folder, "extract")
    again = attnray.run(given, executor="serial", batch={"tokens": 160}, run_dir=folder, quiet=True)
    assert markers(folder, "extract") == before
    assert len(again) == len(run)
    assert capfd.readouterr() == ("", "")


REFUSED: dict[str, dict[str, Any]] = {
    "choice": {"executor": "sereal"},
    "setting": {"sed": 3},
    "role": {"corpora": {"coreference": {"limit": 3}}},
    "file": {"corpus": "/nowhere/a file.conllu"},
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses_with_the_line_of_the_command(what: str) -> None:
    with pytest.raises(attnray.InputError) as told:
        attnray.run(REFUSED[what])
    assert refusal("run", *_written(REFUSED[what])) == f"attnray: {told.value}"


BACKSLASHES = ["a\\b c", "a b\\", "a b\\\\", 'a\\"b', '"\\']


def test_settings_are_what_they_were_given_as() -> None:
    given: dict[str, Any] = {
        "corpus": {
            "path": ['a, "quoted" {file}.conllu', "b=1.conllu", "ä", *BACKSLASHES],
            "limit": None,
        },
        "corpus.name": "123",
        "corpora": {"coreference": "conllu"},
        "corpora.coreference": {"path": Path("~/x y.conllu"), "name": "null"},
        "max_tokens": [96, 128],
        "cases": False,
        "probe.learning_rate": 1e-4,
        "run_dir": "true",
    }
    config = configuration([*_written(given)])
    assert config.corpus.path == given["corpus"]["path"]
    assert (config.corpus.limit, config.corpus.name) == (None, "123")
    assert config.corpora.coreference is not None
    assert config.corpora.coreference.path == "~/x y.conllu"
    assert config.corpora.coreference.name == "null"
    assert (config.max_tokens, config.cases) == ([96, 128], False)
    assert (config.probe.learning_rate, config.run_dir) == (1e-4, "true")
