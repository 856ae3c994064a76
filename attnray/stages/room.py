"""What the disk of a run folder must have room for, and whether it has."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from rich.filesize import decimal

from attnray.config import keeps, stores
from attnray.corpus.roles import ROLES
from attnray.errors import InputError
from attnray.metrics.base import Predictor
from attnray.metrics.registry import METRICS
from attnray.stages.lacking import Lacking
from attnray.store.codecs import CODECS
from attnray.store.run import Run

#: About what a metric's partial of a shard takes: bytes a head, and a pair of heads.
HEAD_BYTES, PAIR_BYTES = {"patterns": 400, "syntax": 3500}, {"divergence": 16}
#: Bytes a head of any other metric.
OTHER_BYTES = 1500
#: Where attention is not kept, that of about so many shards a core is there at once.
AT_ONCE = 4


def check_room(runs: Sequence[Run]) -> None:
    """Refuse runs that do not fit on their disks, with what is left to do of them.

    Raises:
        InputError: says how much is needed, how much is free, and what to do.
    """
    on_disk: defaultdict[int, list[Run]] = defaultdict(list)
    room: dict[int, int] = {}
    for run in (run for run in runs if run.config.check_disk):
        if (found := run.folder.disk()) is not None:
            disk, room[found[0]] = found
            on_disk[disk].append(run)
    for disk, those in on_disk.items():
        free = room[disk]
        # Only where all of it would be too much it is worth to look what is done.
        if sum(map(bytes_needed, those)) > free:
            needed = sum(bytes_needed(run, left=True) for run in those)
            if needed > free:
                raise InputError(_refusal(those[-1], needed, free))


def bytes_needed(run: Run, left: bool = False) -> int:
    """About how many bytes a run takes, without its twin; with `left`, what is not done of it."""
    return attention_bytes(run, left) + found_bytes(run, left)


def attention_bytes(run: Run, left: bool = False) -> int:
    """The bytes of the attention that is there at once."""
    lacking = Lacking(run)
    shards = np.flatnonzero(lacking.stored)
    if left:
        tasks = ((shard, lacking.extraction(int(shard))) for shard in shards)
        shards = np.array([shard for shard, task in tasks if task and task.store], int)
    cells = lacking.cells[shards]
    if not keeps(run.config):
        samples = np.isin(shards, [*run.manifest.samples.values()])
        passing = np.sort(cells[~samples])[-AT_ONCE * (os.cpu_count() or 1) :]
        cells = np.append(cells[samples], passing)
    layers, heads = run.manifest.heads
    return int(cells.sum() * layers * heads * CODECS[run.store.codec].bytes_a_weight)


def found_bytes(run: Run, left: bool = False) -> int:
    """The bytes of partials and cases."""
    layers, heads = run.manifest.heads
    count, found = layers * heads, 0.0
    for name in run.metrics:
        metric, shards, size = METRICS[name], 0, 0.0
        for each in run.measurements(name):
            shards += len(each.examples.shards)
            if issubclass(metric, Predictor) and run.config.cases:
                cases = each.examples.counts.get(ROLES[metric.role].needs, 0)
                size += cases * count * len(metric.directions) / 8
        head, pair = HEAD_BYTES.get(name, OTHER_BYTES), PAIR_BYTES.get(name, 0)
        size += shards * (head * count + pair * count**2)
        share = sum(1 for _ in run.unfinished(name)) / shards if left and shards else 1
        found += size * share
    return int(found)


def _refusal(run: Run, needed: int, free: int) -> str:
    smallest = min(CODECS.values(), key=lambda codec: codec.bytes_a_weight).name
    remedies = {
        "store=none": stores(run.config),
        f"store={smallest}": stores(run.config) and run.config.store.codec != smallest,
        "store.keep=false": keeps(run.config) and run.config.analysis == "workers",
    }
    said = [remedy for remedy, helps in remedies.items() if helps]
    return (
        f"{run.folder}: the disk has {decimal(free)} free, but the run will take about "
        f"{decimal(needed)}: say {', '.join([*said, 'or run_dir= on another disk'])} "
        "(check_disk=false starts it all the same)"
    )
