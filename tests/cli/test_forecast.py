"""What a planned run will take: counts as planned, what is left of it, and time by a rehearsal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from attnray.cli.forecast import forecast
from attnray.compare.subjects import opened
from attnray.executors.rehearsal import rehearse
from attnray.executors.serial import SerialExecutor
from attnray.executors.todo import Todo, survey
from attnray.store.folder import RunFolder
from attnray.store.run import Run
from tests.builders.jobs import markers

pytestmark = pytest.mark.slow


def begun(copied: Path) -> Run:
    """A run whose first shard alone is done."""
    for path in (copied / "done").glob("*/*.json"):
        if path.name != "00000.json":
            path.unlink()
    (subject,) = opened([RunFolder(copied)])
    return subject.run


def test_a_rehearsal_times_every_stage_and_leaves_nothing(copied: Path) -> None:
    run = begun(copied)
    _, shards = survey(run)
    assert {f"{shard:05}.json" for shard in shards} == {
        f"{number:05}.json" for number in range(1, len(run.manifest.examples))
    }
    before = {path: path.stat().st_mtime_ns for path in copied.rglob("*")}
    paces = rehearse(run, Todo(run).model, shards)
    assert {*paces} == {"extract", "analyse"}
    assert all(seconds > 0 for seconds in paces.values())
    assert {path: path.stat().st_mtime_ns for path in copied.rglob("*")} == before
    fused = replace(run, config=replace(run.config, analysis="fused"))
    assert {*rehearse(fused, Todo(run).model, shards)} == {"extract"}


def test_what_is_left_takes_as_long_as_the_rehearsal_says(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(copied)
    asked: list[Any] = []

    def once(_: SerialExecutor, function: object, *args: object) -> dict[str, float]:
        asked.append((function, args[0], args[2]))
        return {"extract": 2e-3, "analyse": 1e-3}

    monkeypatch.setattr(SerialExecutor, "once", once)
    *examples, _, time = forecast(run)
    flop = sum(float(run.manifest.flop(each).sum()) for each in run.manifest.sets)
    done = float(run.manifest.flop(run.manifest.sets[0])[0])
    told = str(timedelta(seconds=round((flop - done) * 3e-3)))
    assert f"about {told} by one extractor on cpu" in time
    ((function, of, shards),) = asked
    assert (function, of) == (rehearse, run)
    assert sorted(shards) == [*range(1, len(run.manifest.examples))]
    assert [line.split()[1] for line in examples] == [f"{e.size:,}" for e in run.manifest.sets]


def test_of_a_finished_run_nothing_is_left(copied: Path) -> None:
    (subject,) = opened([RunFolder(copied)])
    before = markers(copied, "extract")
    *_, disk, time = forecast(subject.run)
    assert "0 bytes of attention (log16), 0 bytes of results" in disk
    assert "nothing is left to be extracted" in time
    assert markers(copied, "extract") == before
