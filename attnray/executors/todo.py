"""What is left to do of a run: its tasks, made as their turn comes, those that take long first."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from attnray.called import called
from attnray.errors import IncompleteRun
from attnray.executors.feed import Feed
from attnray.executors.standing import Standing
from attnray.executors.work import ModelSettings, Outcome
from attnray.metrics.registry import METRICS
from attnray.stages.lacking import Lacking
from attnray.stages.tasks import (
    AnalyseTask,
    DifferentiateTask,
    ExtractTask,
    ModelTask,
    ProbeTask,
    Task,
)
from attnray.store.run import Run

#: What there is to do.
EXTRACT, ANALYSE, PROBE = "extract", "analyse", "probe"
WHOLE = frozenset({EXTRACT, ANALYSE, PROBE})


class Todo:
    """What is left of a run: a shard is analysed once it is extracted, probes come last.

    What was done before is found out when its turn comes: of what is to come it holds numbers of
    shards, no tasks.

    Args:
        run: a planned run, without its twin; or one whose plan still grows.
        wanted: which kinds of work.
        feed: gives what more is planned of one that grows.

    `standing` says how far each stage is; `flop` is about what the forward passes over all of the
    shards take; of `shards`, `resumed` were found to be extracted before.

    Raises:
        IncompleteRun: extraction is needed but not wanted.
    """

    def __init__(self, run: Run, wanted: frozenset[str] = WHOLE, feed: Feed | None = None) -> None:
        self.model = _model(run)
        self.refused = False
        self.standing: dict[str, Standing] = {}
        self.resumed = 0
        self._wanted = wanted
        self._feed = feed
        self._shards: Iterator[int] = iter(())
        self._extracted: deque[int] = deque()
        self._next: ModelTask | None = None
        self._next_free: AnalyseTask | ProbeTask | None = None
        self._flying: Counter[bool] = Counter()
        self._known = np.zeros(0, np.bool_)
        self._mended: set[int] = set()
        self._found = run.folder.as_of_now()
        self._take_in(run)
        if EXTRACT not in wanted:
            self._refuse_to_extract()

    def _take_in(self, run: Run) -> None:
        """Go on with more of a plan."""
        self.run = run
        self._lacking = lacking = Lacking(run, self._found)
        self._analysed = lacking.analysed & (ANALYSE in self._wanted and not run.fused)
        known = np.pad(self._known, (0, len(lacking.on_model) - len(self._known)))
        self._shards = chain(self._shards, _long_first(lacking.on_model & ~known, lacking.cost))
        self._known = known | lacking.on_model
        self.flop = float(lacking.cost[lacking.on_model].sum())
        of_gradients = run.whole and EXTRACT in self._wanted
        self._differentiations = lacking.differentiations() if of_gradients else iter(())
        self._probes = deque(lacking.probes() if run.whole and PROBE in self._wanted else ())
        for stage, (total, flop) in self._totals().items():
            standing = self.standing.setdefault(stage, Standing())
            standing.total, standing.flop = total, flop

    @property
    def grows(self) -> bool:
        """Whether the plan is not whole yet."""
        return not self.run.whole and not self.refused

    def look(self) -> None:
        """Take in what was planned since the last look.

        Raises:
            InputError: the run cannot be planned.
        """
        if self.grows and self._feed and (run := self._feed.now()):
            self._take_in(run)

    def wait(self) -> None:
        """Take in what more is planned, once there is something.

        Raises:
            InputError: the run cannot be planned.
        """
        if self.grows and self._feed:
            self._take_in(self._feed.wait())

    def close(self) -> None:
        """Have nothing more planned."""
        if self._feed:
            self._feed.close()

    @property
    def has_model_task(self) -> bool:
        """Whether a task that needs the model waits to be given to someone."""
        if self.refused:
            return False
        while self._next is None and (shard := next(self._shards, None)) is not None:
            self._next = self._lacking.extraction(shard) if EXTRACT in self._wanted else None
            if self._next is None:
                self.resumed += 1
                self._count(EXTRACT, shard, before=True)
                self._analysable(shard)
        while self._next is None and (found := next(self._differentiations, None)) is not None:
            shard, self._next = found
            if self._next is None:
                self._count(DifferentiateTask.stage, shard, before=True)
        return self._next is not None

    @property
    def needs_device(self) -> bool:
        """Whether anything is left that takes the model, or its device."""
        probing = bool(self._probes) or isinstance(self._next_free, ProbeTask)
        return self.grows or self.has_model_task or probing

    @property
    def has_free_task(self) -> bool:
        """Whether a task that needs no model waits to be given to someone."""
        if self.refused:
            return False
        while self._next_free is None and self._extracted and self.run.whole:
            shard = self._extracted.popleft()
            self._next_free = self._lacking.analysis(shard)
            if self._next_free is None:
                self._count(ANALYSE, shard, before=True)
        on_model = self.has_model_task or self._flying[True] or self.grows
        if self._next_free is None and not on_model and self._probes:
            self._next_free = self._probes.popleft()
        return self._next_free is not None

    @property
    def passing(self) -> int:
        """How many shards are extracted, not measured, and not to be kept."""
        if self.run.config.store.keep:
            return 0
        return len(self._extracted) + isinstance(self._next_free, AnalyseTask) + self._flying[False]

    @property
    def finished(self) -> bool:
        """Whether nothing is left, nor on its way."""
        if self.refused:
            return True
        left = self.has_model_task or self.has_free_task or self._flying.total()
        return not (left or self.grows)

    def model_task(self) -> ModelTask:
        """Takes the task that `has_model_task` tells of."""
        assert self.has_model_task
        task, self._next = self._next, None
        assert task is not None
        self._flying[True] += 1
        return task

    def free_task(self) -> AnalyseTask | ProbeTask:
        """Takes the task that `has_free_task` tells of."""
        assert self.has_free_task
        task, self._next_free = self._next_free, None
        assert task is not None
        self._flying[False] += 1
        return task

    def again(self, task: Task) -> None:
        """Puts a task that was lost back in line: what of it is done already is not done again."""
        self._flying[isinstance(task, ModelTask)] -= 1
        if isinstance(task, ExtractTask):
            self._shards = chain([task.shard], self._shards)
        elif isinstance(task, DifferentiateTask):
            self._differentiations = chain([(task.shard, task)], self._differentiations)
        elif isinstance(task, AnalyseTask):
            self._extracted.appendleft(task.shard)
        else:
            self._probes.appendleft(task)

    def ended(self, outcome: Outcome) -> None:
        """Takes in how a task ended."""
        task = outcome.task
        self._flying[isinstance(task, ModelTask)] -= 1
        self.refused = self.refused or outcome.refused is not None
        if isinstance(task, ProbeTask):
            self.standing[task.stage].add(*self.size(task))
            return
        self._count(task.stage, task.shard)
        if isinstance(task, ExtractTask):
            if not outcome.error:
                self._analysable(task.shard)
            elif self._analysed[task.shard]:  # what was not extracted is not analysed either
                self._count(ANALYSE, task.shard)

    def mends(self, outcome: Outcome) -> bool:
        """Removes the file that a task found damaged; whether what made it is done again instead.

        That is attention, once: other files are made again when the run is started again.
        """
        task, damaged = outcome.task, outcome.damaged
        if damaged is None:
            return False
        with suppress(OSError):
            self._found.remove(damaged.name)
        if not isinstance(task, AnalyseTask) or EXTRACT not in self._wanted:
            return False
        if task.shard in self._mended or self._lacking.extraction(task.shard) is None:
            return False
        self._mended.add(task.shard)
        self._flying[False] -= 1
        self._shards = chain([task.shard], self._shards)
        standing = self.standing[EXTRACT]
        size, flop = self.size(task)
        standing.total += size
        standing.flop += flop
        return True

    def _analysable(self, shard: int) -> None:
        if self._analysed[shard]:
            self._extracted.append(shard)

    def size(self, task: Task) -> tuple[int, float]:
        """How many examples a task is about, and their FLOP; a probe is one, and counts as one."""
        if isinstance(task, ProbeTask):
            return 1, 1.0
        return int(self._lacking.examples[task.shard]), float(self._lacking.cost[task.shard])

    @property
    def shards(self) -> int:
        """How many shards pass through the model."""
        return int(self._known.sum())

    def _count(self, stage: str, shard: int, before: bool = False) -> None:
        if standing := self.standing.get(stage):
            size, flop = int(self._lacking.examples[shard]), float(self._lacking.cost[shard])
            standing.add(size, flop, before)

    def _totals(self) -> dict[str, tuple[int, float]]:
        """The examples of each stage, and the FLOP of these; of probes, how many there are."""
        run, examples, cost = self.run, self._lacking.examples, self._lacking.cost
        gradients = [m for m in run.metrics if METRICS[m].made_of == "gradients"]
        over = [np.array(e.examples.shards) for m in gradients for e in run.measurements(m)]
        found = {
            ExtractTask.stage: [self._lacking.on_model] * (EXTRACT in self._wanted),
            DifferentiateTask.stage: over * (EXTRACT in self._wanted),
            AnalyseTask.stage: [self._analysed],
        }
        totals = {
            stage: (sum(int(examples[e].sum()) for e in each), sum(cost[e].sum() for e in each))
            for stage, each in found.items()
        } | {ProbeTask.stage: (len(self._probes), float(len(self._probes)))}
        return {stage: (total, float(flop)) for stage, (total, flop) in totals.items() if total}

    def _refuse_to_extract(self) -> None:
        """Refuse to go on without attention, or without what is measured as it is made."""
        run = self.run
        tasks = map(self._lacking.extraction, map(int, np.flatnonzero(self._lacking.on_model)))
        missing = [task for task in tasks if task and (task.store or ANALYSE in self._wanted)]
        if missing:
            shards = ", ".join(f"{task.shard:05}" for task in missing)
            how = f"; a fused run is measured by `{called('extract')}`" if run.fused else ""
            raise IncompleteRun(f"{run.folder}: not extracted yet: shards {shards}{how}")


def survey(run: Run) -> tuple[dict[str, Standing], list[int]]:
    """Where a run stands, and the shards that have yet to pass the model: it looks at all."""
    todo, shards = Todo(run), []
    while todo.has_model_task:
        task = todo.model_task()
        shards += [task.shard] if isinstance(task, ExtractTask) else []
    while todo.has_free_task:
        todo.free_task()
    return todo.standing, shards


def _long_first(which: NDArray[np.bool_], cost: NDArray[np.float64]) -> Iterator[int]:
    """The numbers of these shards: the last to end should be a short one."""
    shards = np.flatnonzero(which)
    return map(int, shards[np.argsort(-cost[shards], kind="stable")])


def _model(run: Run) -> ModelSettings:
    config, identity = run.config, run.manifest.identity
    threads = config.executor.threads_per_extractor
    return ModelSettings(config.model, config.seed, identity["model"], identity["device"], threads)
