"""Who does which task next: long shards first, actors keep their model, late tasks are told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attnray.compare.subjects import opened
from attnray.executors.running import Running
from attnray.executors.schedule import (
    FIRST_SECONDS,
    GIVE_UP,
    GIVE_UP_SECONDS,
    LATE,
    LATE_SECONDS,
    SILENT_SECONDS,
    Schedule,
)
from attnray.executors.todo import Todo
from attnray.executors.work import LOADING, Outcome, Reached
from attnray.stages.tasks import AnalyseTask, ExtractTask
from attnray.store.folder import RunFolder, measured
from attnray.store.run import Run

pytestmark = pytest.mark.slow


def unextracted(copied: Path) -> Run:
    """A run of which nothing is done but the plan."""
    for path in (copied / "done").glob("*/*.json"):
        path.unlink()
    (subject,) = opened([RunFolder(copied)])
    return subject.run


def test_long_shards_come_first(copied: Path) -> None:
    run = unextracted(copied)
    todo = Todo(run)
    cells: dict[int, float] = {}
    for each in run.manifest.sets:
        cells |= dict(zip(each.shards, run.manifest.flop(each), strict=True))
    taken = []
    while todo.has_model_task:
        task = todo.model_task()
        assert isinstance(task, ExtractTask)
        taken.append(task.shard)
    assert sorted(taken) == sorted(run.stored_shards)
    assert [cells[shard] for shard in taken] == sorted(cells.values(), reverse=True)
    assert len(set(cells.values())) > 2


def test_the_estimate_counts_what_layers_do(copied: Path) -> None:
    run = unextracted(copied)
    each, layers, width = run.manifest.sets[0], run.manifest.heads[0], run.manifest.width
    examples = run.folder.examples(*run.manifest.shard(each.shards[0]))
    multiplied = 0
    for example in examples:
        projections = 4 * example.length * width**2
        forward = 2 * example.length * width * 4 * width
        attention = 2 * example.length**2 * width
        multiplied += layers * (projections + forward + attention)
    assert run.manifest.flop(each)[0] == 2 * multiplied


def test_an_actor_keeps_its_model_and_shares_are_even(copied: Path) -> None:
    run = unextracted(copied)
    first, second = Todo(run), Todo(run)
    second.model = replace(second.model, seed=1)
    schedule = Schedule([first, second])
    schedule.actors = {"a": None, "b": None}
    assert [schedule.model_task(actor).todo for actor in "aabb"] == [0, 0, 1, 1]
    while first.has_model_task:
        assert schedule.model_task("a").todo == 0
    assert schedule.model_task("a").todo == 1


def test_what_actors_have_passed_counts_until_their_tasks_end(copied: Path) -> None:
    schedule = Schedule([Todo(unextracted(copied))])
    schedule.actors = {"a": None, "b": None}
    running = Running.__new__(Running)
    running._state, running._alive, running._moved = schedule, set(), False
    running._passed, running._reached = {}, Reached()
    running._reach()
    assert running._reached == Reached(0, "starting an extractor")
    running._alive.add("a")
    running._reach()
    assert running._reached == Reached(0, LOADING)
    for name in "ab":
        schedule.fly(name, schedule.model_task(name), name, now=0)
        (place,) = schedule.places(name)
        running._passed[name] = {place: 5}
    running._reach()
    assert running._reached == Reached(10, "")
    del schedule.actors["a"]
    running._reach()
    assert running._reached.passed == 5


def test_a_late_task_is_told_once(copied: Path) -> None:
    schedule = Schedule([todo := Todo(unextracted(copied))])
    schedule.actors = {"a": None, "b": None}
    for reference in range(3):
        schedule.fly(reference, schedule.model_task("a"), "a", now=0)
    schedule.fly("late", schedule.model_task("b"), "b", now=0)
    took = LATE_SECONDS * 2
    for reference in range(3):  # one after another: each takes so long
        flight = schedule.land(reference, now=(reference + 1) * took)
        todo.ended(Outcome(0, flight.assigned.task))
        assert not list(schedule.late((reference + 1) * took))
    assert not list(schedule.late(LATE * took))
    (late,) = schedule.late(LATE * took + 1)
    assert (late.seconds, late.usual) == (LATE * took + 1, took)
    assert late.task == schedule.flying["late"].assigned.task
    assert not list(schedule.late(1e9))


def test_an_actor_that_is_silent_is_told_once_until_it_answers(copied: Path) -> None:
    schedule = Schedule([Todo(unextracted(copied))])
    schedule.actors = {"a": None}
    schedule.fly("task", schedule.model_task("a"), "a", now=0)
    assert not list(schedule.silent(1e6)), "it has not begun to answer"
    for heard in (100, 200):
        schedule.hear("a", heard)
        assert not list(schedule.silent(heard + SILENT_SECONDS))
        (late,) = schedule.silent(heard + SILENT_SECONDS + 1)
        assert (late.seconds, late.usual) == (SILENT_SECONDS + 1, None)
        assert late.task == schedule.flying["task"].assigned.task
        assert not list(schedule.silent(1e6))


def test_what_takes_far_too_long_is_given_up(copied: Path) -> None:
    schedule = Schedule([Todo(unextracted(copied))])
    schedule.actors = {"a": None, "b": None}
    for name in "ab":
        schedule.fly(name, schedule.model_task(name), name, now=0)
    schedule.fly("waits", schedule.model_task("b"), "b", now=0)
    assert not schedule.overdue(FIRST_SECONDS)
    assert [name for name, _ in schedule.overdue(FIRST_SECONDS + 1)] == ["a", "b"]
    took = GIVE_UP_SECONDS / GIVE_UP * 2
    schedule.land("a", took)
    assert not schedule.overdue(GIVE_UP * took)
    ((name, seconds),) = schedule.overdue(GIVE_UP * took + 1)
    assert (name, seconds) == ("b", GIVE_UP * took + 1)
    assert schedule.lose(schedule.drop("b", seconds)) == 1
    assert schedule.lose(schedule.flying["waits"]) == 1, "it has begun as the other ended"


def test_what_may_have_waited_for_a_place_is_given_up_when_nothing_ends(copied: Path) -> None:
    schedule = Schedule([todo := Todo(unextracted(copied))], 100)
    while todo.has_model_task:
        todo.ended(Outcome(0, todo.model_task()))
    for place, name in enumerate(("first", "second")):
        assigned = schedule.free_task()
        assert assigned is not None
        assert schedule.free_place == place
        schedule.fly(name, assigned, None, now=0, place=place)
    schedule.land("first", 90)
    assert schedule.free_place == 0
    assert not schedule.overdue(190)
    assert schedule.overdue(191) == [("second", 101)]


def test_what_was_lost_goes_back_in_line_but_for_what_is_done(
    copied: Path, undisturbed: Path
) -> None:
    run = unextracted(copied)
    todo = Todo(run)
    lost = todo.model_task()
    assert isinstance(lost, ExtractTask)
    ahead = todo.model_task()
    todo.again(lost)
    assert todo.model_task() == lost
    todo.ended(Outcome(0, ahead))
    todo.ended(Outcome(0, lost))
    while todo.has_model_task:
        todo.ended(Outcome(0, todo.model_task()))
    analysis = todo.free_task()
    while isinstance(analysis, AnalyseTask) and len(analysis.metrics) == 1:
        analysis = todo.free_task()
    assert isinstance(analysis, AnalyseTask)
    marker = Path("done") / measured(analysis.metrics[0].name) / f"{analysis.shard:05}.json"
    shutil.copy(undisturbed / marker, copied / marker)
    todo.again(analysis)
    free = [todo.free_task() for _ in range(2)]
    wanted = replace(analysis, metrics=analysis.metrics[1:], fingerprints=analysis.fingerprints[1:])
    assert wanted in free
    assert analysis not in free


def test_a_run_is_finished_once_all_of_it_ended(copied: Path) -> None:
    todo = Todo(unextracted(copied))
    assert not todo.finished
    while todo.has_model_task:
        todo.ended(Outcome(0, todo.model_task()))
    assert not todo.finished
    while todo.has_free_task:
        task = todo.free_task()
        assert not todo.finished
        todo.ended(Outcome(0, task))
    assert todo.finished
    assert todo.resumed == 0
    assert {*todo.standing} == {"extract", "analyse"}
    for each in todo.standing.values():
        assert (each.done, each.before, each.flop_done) == (each.total, 0, each.flop)


def test_what_was_not_extracted_is_not_analysed(copied: Path) -> None:
    todo = Todo(unextracted(copied))
    while todo.has_model_task:
        todo.ended(Outcome(0, todo.model_task(), "it broke"))
    assert not todo.has_free_task
    assert todo.finished
    assert todo.resumed == 0
    assert {*todo.standing} == {"extract", "analyse"}
    for each in todo.standing.values():
        assert (each.done, each.before, each.flop_done) == (each.total, 0, each.flop)


def test_what_was_done_before_counts_as_done(copied: Path) -> None:
    (subject,) = opened([RunFolder(copied)])
    todo = Todo(subject.run)
    assert todo.finished
    assert not todo.needs_device
    assert todo.resumed == todo.shards > 0
    standings = todo.standing.values()
    assert np.all([each.done == each.before == each.total > 0 for each in standings])
