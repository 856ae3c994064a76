"""A rehearsal: a little of what is left of a run is done in a temporary folder, to time it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from attnray.corpus.example import Example
from attnray.executors.work import SPEED, ModelSettings
from attnray.executors.worker import ModelWorker, run_free
from attnray.stages.lacking import Lacking
from attnray.stages.tasks import AnalyseTask
from attnray.store.folder import RunFolder
from attnray.store.run import Run

#: Batches of so many shards are taken, of each for about so many seconds of forward passes.
SHARDS, SECONDS = 3, 1


def rehearse(run: Run, settings: ModelSettings, shards: Sequence[int]) -> dict[str, float]:
    """Do some batches of shards, where this is called.

    Args:
        run: a planned run, without its twin.
        settings: of its model.
        shards: those that are not extracted.

    Returns:
        How many seconds a stage takes for each FLOP of its shards' forward passes.

    Raises:
        InputError: the model cannot be loaded here.
    """
    lacking, worker = Lacking(run), ModelWorker()
    chosen = _spread_out([shard for shard in sorted(shards) if lacking.cost[shard]])
    gradients = {n: task for n, task in lacking.differentiations() if task and n in chosen}
    seconds: defaultdict[str, float] = defaultdict(float)
    flop: defaultdict[str, float] = defaultdict(float)
    with TemporaryDirectory() as path:
        folder = RunFolder(Path(path))
        # What comes first loads the model, and is not counted.
        for turn, shard in enumerate([*chosen[:1], *chosen]):
            examples = _few(run, shard, float(lacking.cost[shard]))
            _, checksum = folder.write_examples(shard, examples)
            tasks = (lacking.extraction(shard), lacking.analysis(shard), gradients.get(shard))
            for task in (replace(t, folder=folder, checksum=checksum) for t in tasks if t):
                if isinstance(task, AnalyseTask):
                    took = run_free(task)
                else:
                    took = worker.run(settings, task)
                if turn:
                    seconds[task.stage] += took.seconds
                    flop[task.stage] += _flop(run, examples)
    return {stage: spent / flop[stage] for stage, spent in seconds.items()}


def _spread_out(shards: list[int]) -> list[int]:
    """Some shards, evenly spaced."""
    places = np.linspace(0, len(shards) - 1, min(SHARDS, len(shards))).round()
    return [shards[int(place)] for place in places]


def _few(run: Run, shard: int, flop: float) -> list[Example]:
    """Evenly spaced batches of a shard, whose forward pass takes so many FLOP."""
    examples = run.folder.examples(*run.manifest.shard(shard), spellings=True)
    batches = [[*batch] for _, batch in groupby(examples, lambda example: example.batch)]
    wanted = SECONDS * SPEED[str(run.manifest.identity["device"])]
    return [each for batch in batches[:: max(1, round(flop / wanted))] for each in batch]


def _flop(run: Run, examples: Sequence[Example]) -> float:
    lengths = np.array([each.length for each in examples], float)
    return float(run.manifest.flop_of(lengths, lengths**2).sum())
