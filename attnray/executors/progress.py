"""What a run shows while it works: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType

from rich import progress
from rich.console import Console

from attnray.executors.work import Outcome, Work
from attnray.stages.tasks import ProbeTask, Task

#: Without a terminal, a line is written at each of so many parts of the work.
PARTS = 10


class Progress:
    """Follows the outcomes of works; `sizes` has the examples of each shard, for each work."""

    def __init__(
        self, title: str, works: Sequence[Work], sizes: Sequence[Mapping[int, int]]
    ) -> None:
        self._title = title
        self._sizes = sizes
        self._console = Console(stderr=True)
        self._totals: Counter[str] = Counter()
        for number, work in enumerate(works):
            for task in [*work.on_model(), *work.analyse.values(), *work.probe]:
                self._totals[task.stage] += self._size(number, task)
        self._done: Counter[str] = Counter()
        self._bars = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks = {
            s: self._bars.add_task(f"{title}: {s}", total=n) for s, n in self._totals.items()
        }

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

    def advance(self, outcome: Outcome) -> None:
        """Take in one outcome."""
        size, stage = self._size(outcome.work, outcome.task), outcome.task.stage
        before, total = self._done[stage], self._totals[stage]
        self._done[stage] += size
        self._bars.advance(self._tasks[stage], size)
        part, part_before = (done * PARTS // total for done in (before + size, before))
        if not self._console.is_terminal and part > part_before:
            self._console.print(f"{self._title}: {stage} {before + size} of {total}")

    def _size(self, work: int, task: Task) -> int:
        """The examples of a shard; a probe counts as one."""
        return 1 if isinstance(task, ProbeTask) else self._sizes[work][task.shard]
