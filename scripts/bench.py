"""Time and memory of the main job beside a bare forward pass over the same batches.

    python scripts/bench.py corpus=conllu corpus.path=FILE [more overrides]

Runs jobs/run.py in a process of its own into a new folder, sampling once a second the
proportional set size (PSS) of every process of the job and of Ray's; then, in this process, runs
the model alone over the same batches, on one thread and on all, and each metric of attention alone
over the first shard it measures. What it prints are seconds, megabytes, and ratios within this run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import cast

import torch
from omegaconf import DictConfig, OmegaConf

from attnray.config import Config, ModelConfig, typed
from attnray.metrics.analysis import analyse
from attnray.metrics.registry import METRICS
from attnray.model.encoder import Encoder
from attnray.model.source import locate
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from attnray.store.maps import StoredMaps
from attnray.store.run import Run

ROOT = Path(__file__).resolve().parents[1]
MARK = "ATTNRAY_BENCH"


def main() -> None:
    """Run the job, then the bare forward pass, and print both."""
    with tempfile.TemporaryDirectory(prefix="attnray-bench-") as temporary:
        run_dir = Path(temporary) / "run"
        seconds, peaks = timed_job([*sys.argv[1:], f"run_dir={run_dir}"])
        print(f"job: {seconds:.1f} s")
        for name, peak in sorted(peaks.items(), key=lambda item: -item[1]):
            print(f"  peak PSS {name:24} {peak / 1e6:8.0f} MB")
        stored = sum(f.stat().st_size for f in run_dir.glob("attention/**/*") if f.is_file())
        print(f"  attention on disk {stored / 1e6:25.0f} MB")
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            bare = forward(RunFolder(run_dir), threads)
            print(f"bare forward pass, {threads} threads: {bare:.1f} s")
            print(f"  job / bare {seconds / bare:.2f}")
        for metric, alone, reading in metrics(run_dir):
            print(f"{metric}, one shard: {alone:.2f} s, / reading it {alone / reading:.2f}")


def timed_job(overrides: list[str]) -> tuple[float, dict[str, float]]:
    """Seconds of the main job, and the peak PSS in bytes by process name and in all."""
    mark = uuid.uuid4().hex
    start = time.perf_counter()
    job = subprocess.Popen(
        [sys.executable, str(ROOT / "jobs" / "run.py"), *overrides],
        env={**os.environ, MARK: mark},
        stdout=subprocess.DEVNULL,
    )
    peaks: dict[str, float] = defaultdict(float)
    while job.poll() is None:
        now = pss_by_name(f"{MARK}={mark}".encode())
        for name, size in {**now, "all together": sum(now.values())}.items():
            peaks[name] = max(peaks[name], size)
        time.sleep(1)
    if job.returncode:
        sys.exit(f"the job ended with status {job.returncode}")
    return time.perf_counter() - start, peaks


def pss_by_name(mark: bytes) -> dict[str, float]:
    """The PSS in bytes of the processes whose environment has the mark, by name."""
    sizes: dict[str, float] = defaultdict(float)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().split(b"\0")
                sizes[_name([part.decode() for part in command])] += _pss(folder)
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
    return sizes


def _name(command: list[str]) -> str:
    if command[0].startswith("ray::"):
        return command[0]
    if any(part.endswith("jobs/run.py") for part in command):
        return "driver"
    return "Ray's own"


def _pss(folder: Path) -> float:
    for line in (folder / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def forward(folder: RunFolder, threads: int) -> float:
    """Seconds of the model alone over the planned batches, nothing kept."""
    manifest = Manifest.read(folder)
    assert manifest is not None
    torch.set_num_threads(threads)
    encoder = Encoder(locate(ModelConfig(**manifest.config["model"]), 0), "cpu")
    seconds = 0.0
    for each in manifest.sets:
        for shard in each.shards:
            examples = folder.examples(shard)
            start = time.perf_counter()
            for _, group in groupby(examples, key=lambda example: example.batch):
                batch = list(group)
                encoder.attention([e.pieces for e in batch], [e.types for e in batch], ignore)
            seconds += time.perf_counter() - start
    return seconds


def metrics(run_dir: Path) -> Iterator[tuple[str, float, float]]:
    """Each metric of attention with its seconds over a shard, and those of reading it alone."""
    torch.set_num_threads(1)
    folder = RunFolder(run_dir)
    manifest = Manifest.read(folder)
    assert manifest is not None
    merged = OmegaConf.merge(OmegaConf.structured(Config), manifest.config)
    config = typed(cast(DictConfig, merged))
    run = Run(folder, config, manifest)
    for name in run.metrics:
        each = run.measurements(name)[0]
        if METRICS[name].made_of == "attention":
            shard = each.examples.shards[0]
            examples = folder.examples(shard)
            maps = StoredMaps(folder.attention(shard), examples)
            start = time.perf_counter()
            maps.feed(lambda first, layers, group: None)
            reading = time.perf_counter() - start
            analyse([each.metric], examples, maps)
            yield name, time.perf_counter() - start - 2 * reading, reading


def ignore(layer: int, weights: torch.Tensor) -> None:
    """Let the weights go."""


if __name__ == "__main__":
    main()
