"""Verify: every byte of a run against the checksums of its plan and its markers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

from attnray.errors import Damaged
from attnray.metrics import heads
from attnray.metrics.registry import PROBES, known
from attnray.store.folder import CORPUS, EXTRACT, REPORT, RunFolder, measured, tabulated
from attnray.store.run import Run

#: So many pieces are in line at a time.
AT_A_TIME = 1024


def broken(run: Run) -> Iterator[Damaged]:
    """The files of a run and its twin that are missing, or not what was written.

    Of a task that is not done its marker is missing.
    """
    looks = _looks(run)
    with ThreadPoolExecutor(min(32, 2 * (os.cpu_count() or 1))) as pool:
        while some := list(islice(looks, AT_A_TIME)):
            for found in pool.map(lambda look: look(), some):
                yield from found


def _looks(run: Run) -> Iterator[Callable[[], list[Damaged]]]:
    """What looks at each piece of a run."""
    for folder, shard in ((each.folder, s) for each in run.with_twin for s in each.manifest.shards):
        yield partial(folder.broken, folder.file_of(shard))
    for folder, stage, number in _tasks(run):
        yield partial(folder.broken_of, stage, number)


def _tasks(run: Run) -> Iterator[tuple[RunFolder, str, int]]:
    """All that a run and its twin have to do, by folder, stage and number."""
    for each in run.with_twin:
        for number in each.kept_shards:
            yield each.folder, EXTRACT, number
        for name in each.metrics:
            for found in each.measurements(name):
                for number in found.examples.shards:
                    yield each.folder, measured(name), number
        for trial in each.trials:
            yield each.folder, measured(PROBES), trial.number
        yield from _of_unknown(each)
    made = [*run.metrics, *([] if run.folder.of_first else [CORPUS])]
    made += [heads.HEADS] if heads.NEEDS in run.metrics else []
    made += [PROBES] if run.trials else []
    for stage in (*map(tabulated, made), REPORT):
        yield run.folder, stage, 0


def _of_unknown(run: Run) -> Iterator[tuple[RunFolder, str, int]]:
    """What is done of metrics of one's own, whose code is not there to say what there is to do."""
    for name in run.config.metrics:
        # (A plan may be anyone's: what it names is no path.)
        if name.isidentifier() and not known([name]):
            for stage in (measured(name), tabulated(name)):
                yield from ((run.folder, stage, number) for number in run.folder.numbers(stage))
