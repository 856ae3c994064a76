"""What a run shows while it works: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich import progress
from rich.console import Console

from attnray.executors.todo import Todo
from attnray.executors.work import Late, Outcome

#: Without a terminal, a line is written at each of so many parts of the work.
PARTS = 10


class Progress:
    """Follows what is done of runs."""

    def __init__(self, title: str, todos: Sequence[Todo]) -> None:
        self._title = title
        self._todos = todos
        self._console = Console(stderr=True)
        self._bars = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._shown: Counter[str] = Counter()
        self._tasks: dict[str, progress.TaskID] = {}

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, event: Outcome | Late) -> None:
        """Show where a stage stands after one of its tasks ended, or that a task is late."""
        if isinstance(event, Late):
            self._show_late(event)
            return
        stage = event.task.stage
        done = sum(todo.done[stage] for todo in self._todos)
        total = sum(todo.total.get(stage, 0) for todo in self._todos)
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(f"{self._title}: {stage}")
        self._bars.update(self._tasks[stage], completed=done, total=total)
        part = done * PARTS // total
        if not self._console.is_terminal and part > self._shown[stage]:
            self._shown[stage] = part
            self._console.print(f"{self._title}: {stage} {done} of {total}")

    def _show_late(self, late: Late) -> None:
        model, task = self._todos[late.todo].run.model, late.task
        self._console.print(
            f"{model}, {task.name} ({task.stage}): {late.seconds:.0f} s so far, "
            f"others took {late.usual:.0f} s"
        )
