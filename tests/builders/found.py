"""Runs of which there is nothing but what a metric found in given shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from attnray.config import Config
from attnray.metrics.registry import METRICS
from attnray.store.folder import RunFolder
from attnray.store.manifest import ExampleSet, Manifest
from attnray.store.run import Run
from tests.builders.random_maps import HEADS, LAYERS, Attended, found_in


def found_run(path: Path, metric: str, shards: Sequence[list[Attended]], config: Config) -> Run:
    """A run that measured a metric; the examples of a shard are taken by length."""
    folder, kind = RunFolder(path), METRICS[metric]
    cut = None if kind.role == "syntax" else 512
    sizes = [len(shard) for shard in shards]
    counts = {"examples": sum(sizes)}
    examples = ExampleSet(
        "key", "made", "sentence", cut, [*range(len(shards))], sizes, sizes, sizes, counts, 0.0
    )
    measured = kind.of(config, examples)
    checksums = []
    for number, shard in enumerate(shards):
        ordered = sorted((example for example, _ in shard), key=lambda each: each.length)
        checksums.append(folder.write_examples(number, ordered).checksum)
        folder.commit_found(measured, number, "", found_in(measured, shard))
    roles = {kind.role: ["key"]}
    manifest = Manifest({}, asdict(config), [examples], roles, checksums, (LAYERS, HEADS), 12)
    return Run(folder, config, manifest)
