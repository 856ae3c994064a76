"""Process: everything between the plan and the tables, of one run or of many, in one queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from attnray.errors import IncompleteRun, InputError
from attnray.executors.progress import Progress, tell_resumed
from attnray.executors.todo import WHOLE, Todo
from attnray.executors.work import Executor, Outcome, make_executor
from attnray.stages.room import check_room
from attnray.store.run import Run


@dataclass(frozen=True)
class Processed:
    """A run of which nothing is left to try, and why it cannot go on, if so."""

    run: Run
    error: InputError | IncompleteRun | None

    def check(self) -> None:
        """Raises the error, if there is one."""
        if self.error:
            raise self.error


def process(run: Run, wanted: frozenset[str] = WHOLE) -> None:
    """Extract, analyse and probe what is not done yet, of the run and its twin.

    Raises:
        IncompleteRun: shards failed; names each with the reason.
        InputError: an input cannot be used.
    """
    for processed in process_all([run], run.model, wanted):
        processed.check()


def process_growing(states: Iterator[Run], executor: Executor) -> Run:
    """Do all that is to be done of a run, beginning before its plan is whole; gives it whole.

    Args:
        states: the run, without a twin, as its plan grows (see `attnray.stages.planned.states`).
        executor: who does it.

    Raises:
        IncompleteRun: shards failed; names each with the reason.
        InputError: the run cannot be planned, or an input cannot be used.
    """
    states = map(_with_room, states)
    run = next(states)
    todo = Todo(run, feed=None if run.whole else executor.feed(states))
    following = _Following(run, [todo])
    for processed in _processed([following], run.model, executor):
        processed.check()
    following.result().check()
    return todo.run


def process_all(
    runs: Sequence[Run], title: str, wanted: frozenset[str] = WHOLE
) -> Iterator[Processed]:
    """Process runs in one queue, on the executor of the first; gives each as its last task ends.

    Args:
        runs: planned runs.
        title: what the progress is called.
        wanted: which kinds of work.

    Raises:
        IncompleteRun: what is wanted needs work that is neither done nor wanted.
    """
    check_room([each for run in runs for each in run.with_twin])
    following = [_Following(run, [Todo(each, wanted) for each in run.with_twin]) for run in runs]
    yield from _processed(following, title, make_executor(runs[0].config.executor))


def _with_room(run: Run) -> Run:
    check_room([run])
    return run


def _processed(
    following: Sequence[_Following], title: str, executor: Executor
) -> Iterator[Processed]:
    yield from (each.result() for each in following if each.finished)
    left = [each for each in following if not each.finished]
    owners = [each for each in left for _ in each.todos]
    todos = [todo for each in left for todo in each.todos]
    with Progress(title, todos, lambda: executor.passed, lambda: executor.doing) as progress:
        for event in executor.run(todos):
            progress.show(event)
            owner, model = owners[event.todo], todos[event.todo].run.model
            if isinstance(event, Outcome) and owner.ended_by(event, model):
                yield owner.result()
    tell_resumed(title, [todo for each in following for todo in each.todos])


@dataclass
class _Following:
    """What is left of a run and its twin, and what failed."""

    run: Run
    todos: list[Todo]
    failures: list[str] = field(default_factory=list)
    refused: InputError | IncompleteRun | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing is left of either."""
        return all(todo.finished for todo in self.todos)

    def ended_by(self, outcome: Outcome, model: str) -> bool:
        """Take in an outcome; whether it is the last of the run."""
        if self.refused:
            return False
        self.refused = outcome.refused
        if outcome.error:
            task = outcome.task
            self.failures.append(f"{model}, {task.name} ({task.stage}): {outcome.error}")
        return bool(self.refused) or self.finished

    def result(self) -> Processed:
        """The run, and why it cannot go on."""
        run, count = self.run, len(self.failures)
        if self.refused or not self.failures:
            return Processed(run, self.refused)
        message = f"{run.folder}: {count} tasks failed: {'; '.join(sorted(self.failures))}. "
        return Processed(run, IncompleteRun(f"{message}The same command tries them again"))
