"""What a run shows as it works, and what it leaves in its log."""

from __future__ import annotations

import io
import re
import shutil
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console

from attnray.compare.subjects import opened
from attnray.errors import InputError
from attnray.executors import progress
from attnray.executors.progress import FIRST_SECONDS, Progress
from attnray.executors.todo import Todo
from attnray.executors.work import Outcome, Took
from attnray.store.folder import RunFolder

pytestmark = pytest.mark.slow


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(Progress, "_look", lambda _: None)  # it is looked when tests say so
    return clock


def unmeasured(copied: Path) -> Todo:
    """What is left of a run once its attention is extracted."""
    for path in (copied / "done").glob("analyse-*/*.json"):
        path.unlink()
    (subject,) = opened([RunFolder(copied)])
    return Todo(subject.run)


def written(terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=200)


def lines(console: Console) -> list[str]:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def do(todo: Todo, shown: Progress, seconds: float) -> None:
    """Do the next analysis."""
    assert not todo.has_model_task
    assert todo.has_free_task
    outcome = Outcome(0, todo.free_task(), took=Took("here", seconds))
    todo.ended(outcome)
    shown.show(outcome)


def test_a_line_is_written_by_time_with_rate_and_what_is_left(copied: Path, clock: Clock) -> None:
    todo, console = unmeasured(copied), written()
    standing = todo.standing["analyse"]
    with Progress("tiny", [todo], console=console) as shown:
        clock.now += 2
        do(todo, shown, 2)
        shown.look()
        assert not lines(console)
        clock.now += FIRST_SECONDS
        shown.look()
        shown.look()
        (line,) = lines(console)
        spent = standing.flop_done / standing.flop
        left = round((FIRST_SECONDS + 2) * (1 - spent) / spent)
        rate = f"{standing.done / (FIRST_SECONDS + 2):.3g} a second"
        assert f"extract {todo.standing['extract'].total} of" in line
        assert f"analyse {standing.done} of {standing.total} ({rate}, about " in line
        hours, minutes, seconds = map(int, re.findall(r"about (\d+):(\d+):(\d+) left", line)[0])
        assert 3600 * hours + 60 * minutes + seconds == left
        clock.now += 2 * FIRST_SECONDS
        shown.look()
        assert len(lines(console)) == 1 or "about" in lines(console)[1]
        while not todo.finished:
            do(todo, shown, 1)
    assert f"analyse {standing.total} of {standing.total} (" in lines(console)[-1]
    assert "left" not in lines(console)[-1]


def test_a_terminal_shows_every_stage_before_its_first_task(copied: Path, clock: Clock) -> None:
    todo, console = unmeasured(copied), written(terminal=True)
    with Progress("tiny", [todo], console=console):
        pass
    text = "\n".join(lines(console))
    assert "tiny: extract" in text
    assert "tiny: analyse" in text


def test_batches_count_before_their_shard_has_ended(copied: Path, clock: Clock) -> None:
    for path in (copied / "done").glob("*/*.json"):
        path.unlink()
    (subject,) = opened([RunFolder(copied)])
    todo, console, passed = Todo(subject.run), written(), 7
    total = todo.standing["extract"].total
    with Progress("tiny", [todo], lambda: passed, console=console) as shown:
        clock.now += FIRST_SECONDS + 1
        shown.look()
        assert lines(console) == [f"tiny: extract 7 of {total}"]
        passed = 10 * total
    assert lines(console)[1:] == [f"tiny: extract {total} of {total}"]


def test_what_is_waited_for_is_told_until_examples_pass(copied: Path, clock: Clock) -> None:
    for terminal in (False, True):
        for path in (copied / "done").glob("*/*.json"):
            path.unlink()
        (subject,) = opened([RunFolder(copied)])
        todo, console, doing = Todo(subject.run), written(terminal), "loading the model"
        with Progress("tiny", [todo], doing=lambda: doing, console=console) as shown:  # noqa: B023
            for _ in range(2):
                clock.now += FIRST_SECONDS + 1
                shown.look()
            doing = ""
        assert any("tiny: loading the model" in line for line in lines(console))
        if not terminal:
            assert lines(console) == ["tiny: loading the model …"]


def test_what_is_done_beside_another_stage_has_no_rate(copied: Path, clock: Clock) -> None:
    """(So are analyses of a fused run, which have no tasks.)"""
    todo, console = unmeasured(copied), written()
    todo.standing["analyse"].add(3, 1.0)
    with Progress("tiny", [todo], console=console):
        clock.now += FIRST_SECONDS + 1
        clock.monotonic = count(clock.now).__next__  # type: ignore[method-assign]
    (line,) = lines(console)
    assert line.endswith(f"analyse 3 of {todo.standing['analyse'].total}")


def test_a_run_that_ends_with_an_error_adds_no_line(copied: Path, clock: Clock) -> None:
    todo, console = unmeasured(copied), written()
    shown = Progress("tiny", [todo], console=console)
    shown.__enter__()
    do(todo, shown, 1)
    shown.__exit__(KeyError, KeyError(), None)
    assert not lines(console)
    assert [*todo.run.folder.log()][-1]["error"] == "KeyError"


def test_each_task_has_a_line_in_the_log(copied: Path, clock: Clock) -> None:
    todo = unmeasured(copied)
    with Progress("tiny", [todo], console=written()) as shown:
        do(todo, shown, 1.5)
        failed = Outcome(0, todo.free_task(), "OSError: broken")
        todo.ended(failed)
        shown.show(failed)
    *_, began, done, broken, ended = todo.run.folder.log()
    assert (began["event"], ended["event"]) == ("began", "ended")
    assert (done["stage"], done["seconds"], done["host"]) == ("analyse", 1.5, "here")
    shard = int(done["task"].removeprefix("shard "))
    assert done["examples"] == len(todo.run.folder.examples(*todo.run.manifest.shard(shard)))
    assert (broken["task"], broken["error"]) == (failed.task.name, "OSError: broken")
    assert began["time"] <= done["time"] <= broken["time"] <= ended["time"]


def test_a_log_that_cannot_be_written_ends_nothing(copied: Path, clock: Clock) -> None:
    todo = unmeasured(copied)
    shutil.rmtree(copied / "log")
    (copied / "log").touch()
    with Progress("tiny", [todo], console=written()) as shown:
        do(todo, shown, 1)


def test_a_store_that_refuses_the_log_is_no_matter(
    copied: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no permission")

    monkeypatch.setattr(RunFolder, "write_log", refuse)
    todo = unmeasured(copied)
    with Progress("tiny", [todo], console=written()) as shown:
        do(todo, shown, 1)


def test_what_was_done_before_is_said(
    undisturbed: Path,
    copied: Path,
    tiny_settings: tuple[str, ...],
    capfd: pytest.CaptureFixture[str],
) -> None:
    log = [*RunFolder(undisturbed).log()]
    extracted = [each["task"] for each in log if each.get("stage") == "extract"]
    shards = len({*extracted})
    assert len(extracted) == shards
    (copied / "done" / "extract" / "00000.json").unlink()
    (subject,) = opened([RunFolder(copied)])
    todo = Todo(subject.run)
    assert todo.has_model_task
    todo.ended(Outcome(0, todo.model_task()))
    assert todo.finished
    progress.tell_resumed("tiny", [todo])
    assert capfd.readouterr().err == (
        f"tiny: {shards - 1} of {shards} shards were extracted before\n"
    )
