"""Attention that an analysis finds damaged is extracted again, once, where that is wanted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from attnray.compare.subjects import opened
from attnray.errors import Damaged
from attnray.executors.todo import ANALYSE, WHOLE, Todo
from attnray.executors.work import Outcome
from attnray.stages.tasks import AnalyseTask, ExtractTask
from attnray.store.folder import RunFolder
from attnray.store.run import Run

NAME = "attention/{:05}.zarr/offsets/c/0"


@pytest.fixture
def run(copied: Path) -> Run:
    """A run whose syntax is not measured yet."""
    shutil.rmtree(copied / "done" / "analyse-syntax")
    (subject,) = opened([RunFolder(copied)])
    return subject.run


def found_damaged(todo: Todo) -> Outcome:
    """The next analysis finds its attention damaged."""
    assert not todo.has_model_task
    assert todo.has_free_task
    task = todo.free_task()
    assert isinstance(task, AnalyseTask)
    damaged = Damaged(str(todo.run.folder), NAME.format(task.shard), "damaged")
    return Outcome(0, task, str(damaged), damaged=damaged)


def test_it_is_extracted_again_once(run: Run) -> None:
    todo = Todo(run, WHOLE)
    outcome = found_damaged(todo)
    assert isinstance(outcome.task, AnalyseTask)
    assert todo.mends(outcome)
    assert run.folder.medium.size(NAME.format(outcome.task.shard)) is None
    assert todo.has_model_task
    again = todo.model_task()
    assert isinstance(again, ExtractTask)
    assert again.shard == outcome.task.shard
    todo.ended(Outcome(0, again))
    while todo.has_free_task and (task := todo.free_task()).name != again.name:
        todo.ended(Outcome(0, task))
    damaged = Damaged(str(run.folder), NAME.format(again.shard), "damaged")
    assert not todo.mends(Outcome(0, task, str(damaged), damaged=damaged))
    assert not todo.has_model_task


def test_where_nothing_is_to_be_extracted_it_is_only_removed(run: Run) -> None:
    todo = Todo(run, frozenset({ANALYSE}))
    outcome = found_damaged(todo)
    assert isinstance(outcome.task, AnalyseTask)
    assert not todo.mends(outcome)
    assert run.folder.medium.size(NAME.format(outcome.task.shard)) is None


def test_another_error_mends_nothing(run: Run) -> None:
    todo = Todo(run, WHOLE)
    before = run.folder.medium.sizes("")
    assert not todo.mends(Outcome(0, found_damaged(todo).task, "no memory"))
    assert run.folder.medium.sizes("") == before
