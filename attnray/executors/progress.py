"""What a run shows while it works: bars on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from rich import progress
from rich.console import Console

from attnray.executors.log import Log
from attnray.executors.standing import Standing
from attnray.executors.todo import EXTRACT, Todo
from attnray.executors.work import Late, Outcome

#: How often it is looked where the work stands, in seconds.
LOOK_SECONDS = 1
#: Without a terminal a line is written after so many seconds, in a long run after more.
FIRST_SECONDS, MOST_SECONDS, SHARE = 10, 60, 0.1
#: The bar of what no stage stands for.
AWAITED = "awaited"


class Progress:
    """Follows what is done of runs, and has it logged in their folders.

    Args:
        title: what the work is called.
        todos: what is left of the runs.
        passed: how many examples have passed the model in tasks that have not ended.
        doing: what is waited for until they do.
        console: where it is shown, by default on stderr.
    """

    def __init__(
        self,
        title: str,
        todos: Sequence[Todo],
        passed: Callable[[], int] = lambda: 0,
        doing: Callable[[], str] = lambda: "",
        console: Console | None = None,
    ) -> None:
        self._title = title
        self._todos = todos
        self._passed = passed
        self._doing = doing
        self._logs = [Log(todo) for todo in todos]
        self._console = console or Console(stderr=True, force_jupyter=False)
        self._bars = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("{task.fields[pace]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, progress.TaskID] = {}
        #: When the first task of a stage began that ended here.
        self._began: dict[str, float] = {}
        self._start = self._said = time.monotonic()
        self._shown: list[str] = []
        self._stop = threading.Event()
        self._looking = threading.Thread(target=self._look, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._bars.start()
        self.look()
        self._looking.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._looking.join()
        self.look()
        self._bars.stop()
        for log in self._logs:
            log.end(error)
        if not (error or self._console.is_terminal):
            self._say()

    def show(self, event: Outcome | Late) -> None:
        """Take in that a task has ended, or show that it is late."""
        if isinstance(event, Late):
            self._show_late(event)
            return
        took = event.took.seconds if event.took else 0.0
        self._began.setdefault(event.task.stage, time.monotonic() - took)
        self._logs[event.todo].add(event)

    def look(self) -> None:
        """Show where the work stands, and write the logs."""
        for log in self._logs:
            log.write()
        if self._console.is_terminal:
            self._move_bars()
        else:
            now = time.monotonic()
            wait = max(FIRST_SECONDS, min(MOST_SECONDS, SHARE * (now - self._start)))
            if now > self._said + wait:
                self._say()

    def _look(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self.look()

    def _say(self) -> None:
        """Write a line, unless nothing has changed."""
        self._said = time.monotonic()
        parts = [
            f"{stage} {standing.done:,} of {standing.total:,}{f' ({pace})' if pace else ''}"
            for stage, standing, pace in self._stages()
            if standing.done
        ]
        parts = parts or [f"{each} …" for each in self._awaited()]
        if parts and parts != self._shown:
            self._shown = parts
            self._console.print(f"{self._title}: {', '.join(parts)}", soft_wrap=True)

    def _move_bars(self) -> None:
        awaited = self._awaited()
        if awaited and AWAITED not in self._tasks:
            self._tasks[AWAITED] = self._bars.add_task("", total=None, pace="")
        if AWAITED in self._tasks:
            what = f"{self._title}: {', '.join(awaited)}"
            self._bars.update(self._tasks[AWAITED], description=what, visible=bool(awaited))
        for stage, standing, pace in self._stages():
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(f"{self._title}: {stage}", pace="")
            bar, done = self._tasks[stage], standing.done
            self._bars.update(bar, completed=done, total=standing.total, pace=pace)

    def _awaited(self) -> list[str]:
        """What goes on beside the stages, or before them."""
        planning = ["plan"] if any(todo.grows for todo in self._todos) else []
        return planning + ([doing] if (doing := self._doing()) else [])

    def _stages(self) -> Iterator[tuple[str, Standing, str]]:
        """Where each stage stands, with its pace and what time is left."""
        for stage in dict.fromkeys(stage for todo in self._todos for stage in todo.standing):
            standing = sum(
                (todo.standing.get(stage, Standing()) for todo in self._todos), Standing()
            )
            pace = self._pace(stage, standing)
            if stage == EXTRACT:
                standing.done = min(standing.total, standing.done + self._passed())
            yield stage, standing, pace

    def _pace(self, stage: str, standing: Standing) -> str:
        began = self._began.get(stage)
        return standing.pace(time.monotonic() - began) if began is not None else ""

    def _show_late(self, late: Late) -> None:
        model, task = self._todos[late.todo].run.model, late.task
        if late.usual is None:
            how = f"its worker has not answered for {late.seconds:.0f} s"
        else:
            how = f"{late.seconds:.0f} s so far, others took {late.usual:.0f} s"
        self._console.print(f"{model}, {task.name} ({task.stage}): {how}")


def tell_resumed(title: str, todos: Sequence[Todo]) -> None:
    """Say how much of finished work was done before, if any was."""
    resumed, shards = sum(todo.resumed for todo in todos), sum(todo.shards for todo in todos)
    if resumed:
        print(f"{title}: {resumed:,} of {shards:,} shards were extracted before", file=sys.stderr)
