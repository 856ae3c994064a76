"""Does the driver hold at 100,000 shards and 256 GPUs? A simulation with the real driver's code.

    python scripts/simulate_scale.py [--shards 1000 10000 100000] [--gpus 256] [overrides]

A run of a model of BERT-base's shapes over the sample gives real partials, cases and markers. Then,
for each number of shards and in a process of its own, its shards are planned again and again, and
the driver goes over them: tasks, queues, outcomes, progress, and the reduction. Ray alone is stood
in for: `Cluster` has its calls and a clock of its own, and for each shard it commits hard links to
real files, with a marker. What is measured is the CPU time and the memory of the driver, without
what stands for workers. docs/scale.md says what was found and what follows for 10^9 tokens.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from importlib import resources
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from simulated.cluster import Cluster, Meter
from simulated.projection import table
from simulated.source import SOURCE, StandIn, composed, make_source, opened, repeated

import attnray.executors.connection
import attnray.executors.pulse
import attnray.executors.running
from attnray.config import ExecutorConfig
from attnray.executors.process import process
from attnray.executors.work import make_executor
from attnray.metrics.tree import merge
from attnray.stages.planned import plan
from attnray.stages.reduce import reduce
from attnray.stages.tasks import AnalyseTask, ExtractTask
from attnray.store.folder import MANIFEST, RunFolder
from attnray.store.run import Run

#: Columns of tables that count.
COUNTS = {"patterns": ("examples",), "syntax": ("total", "correct")}


def main() -> None:
    """Simulate each number of shards, print what was measured, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shards", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--gpus", type=int, default=256, help="logical ones")
    parser.add_argument("--copies", type=int, default=300, help="of the sample, to time planning")
    parser.add_argument("--calls", type=int, default=10_000, help="of Ray, to time these")
    parser.add_argument("--quick", action="store_true", help="time nothing but the driver")
    parser.add_argument("--scratch", type=Path, help="a folder for the runs, which stay there")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options, overrides = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="attnray-scale-") as temporary:
        scratch = options.scratch or Path(temporary)
        found: dict[str, Any] = {"gpus": options.gpus, "runs": []}
        source = apart(make_source, scratch, overrides)
        for shards in options.shards:
            found["runs"].append(apart(simulate, source, scratch, shards, options.gpus))
            print(line(found["runs"][-1]), flush=True)
        if not options.quick:
            found["planning"] = apart(planning, scratch, options.copies, overrides)
            found["analysis"] = apart(analysing, scratch, overrides)
            found["ray"] = apart(calls, source, options.gpus, options.calls)
            print(found["planning"], found["analysis"], found["ray"], table(found), sep="\n")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def apart(function: Callable[..., Any], *args: Any) -> Any:
    """What a function gives in a new process, whose memory is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def line(found: dict[str, Any]) -> str:
    """A run in a line."""
    cpu = ", ".join(f"{phase} {each:.2f}" for phase, each in found["milliseconds"].items())
    peaks = ", ".join(f"{phase} {each:.0f}" for phase, each in found["megabytes"].items())
    return f"{found['shards']} shards: CPU ms a shard: {cpu}; MB at most: {peaks}"


# What is measured


def simulate(folder: Path, scratch: Path, shards: int, gpus: int) -> dict[str, Any]:
    """Let the driver go over so many shards, rounded up to whole copies of the source."""
    source = opened(folder)
    copies = -(-shards // len(source.manifest.examples))
    manifest = repeated(source.manifest, copies)
    shards = len(manifest.examples)
    target = scratch / f"shards-{shards}"
    shutil.rmtree(target, ignore_errors=True)
    meter = Meter()
    cluster = Cluster(meter, StandIn(source), gpus)
    executor = ExecutorConfig("ray", extractors=gpus)
    run = Run(RunFolder(target), replace(source.config, executor=executor), manifest)
    phases: dict[str, Callable[[], object]] = {
        "start": gc.collect,
        "manifest": lambda: manifest.write(run.folder),
        "process": lambda: process(run),
        "reduce": lambda: reduce(run, make_executor(executor).spread),
    }
    milliseconds, megabytes = {}, {}
    of_ray = (attnray.executors.running, attnray.executors.connection)
    with ExitStack() as stack:
        for module in of_ray:
            stack.enter_context(mock.patch.object(module, "ray", cluster))
        stack.enter_context(mock.patch.object(attnray.executors.pulse, "Pulse", cluster.pulse))
        for name, phase in phases.items():
            forget_peak()
            start = meter.seconds()
            phase()
            milliseconds[name] = (meter.seconds() - start) / shards * 1000
            megabytes[name] = peak()
    del milliseconds["start"]
    check(run, source, copies)
    manifest_bytes = run.folder.medium.size(MANIFEST) or 0
    shutil.rmtree(target)
    return {
        "shards": shards,
        "copies": copies,
        "tasks": cluster.tasks,
        "milliseconds": milliseconds | {"all": sum(milliseconds.values())},
        "megabytes": megabytes,
        "gpus_busy": cluster.busy(),
        "most_flying": cluster.most_flying,
        "bytes_a_task": cluster.bytes_sent / cluster.tasks,
        "manifest_bytes_a_shard": manifest_bytes / shards,
        "depth": depth(shards),
        "adding": cluster.called / shards * 1000,
    }


def check(run: Run, source: Run, copies: int) -> None:
    """Every shard is in the tables, once."""
    for metric in run.metrics:
        for column in COUNTS[metric]:
            found, one = (np.asarray(each.folder.table(metric)[column]) for each in (run, source))
            if not np.array_equal(found, one * copies):
                sys.exit(f"{run.folder}: {metric}.{column} is not {copies} times the source's")


class Depth(int):
    """How many additions lead to a sum."""

    def __add__(self, other: int) -> Depth:
        return Depth(max(int(self), int(other)) + 1)


def depth(shards: int) -> int:
    """How many additions of floats one of a shard goes through."""
    total = merge({("depth",): np.array([Depth(0)], object)} for _ in range(shards))
    return int(total["depth",][0])


def peak() -> float:
    """The most MB this process had since `forget_peak`."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def forget_peak() -> None:
    """Count from what the process has now."""
    Path("/proc/self/clear_refs").write_text("5")


def planning(scratch: Path, copies: int, overrides: Sequence[str]) -> dict[str, float]:
    """Plan so many copies of the sample, in one process."""
    sample = resources.files("attnray.corpus").joinpath("sample.conllu").read_text()
    corpus = scratch / "many.conllu"
    with corpus.open("w") as file:
        for copy in range(copies):
            file.write(sample.replace("# newdoc id = ", f"# newdoc id = {copy}-"))
    target = scratch / "planned"
    shutil.rmtree(target, ignore_errors=True)
    many = ("corpus=conllu", f"corpus.path={corpus}", f"run_dir={target}")
    config = composed(scratch, [*SOURCE, *many, *overrides])
    forget_peak()
    start = time.process_time()
    run = plan(config, "cpu")
    seconds = time.process_time() - start
    words = run.manifest.sets[0].counts["words"]
    files = sum(file.stat().st_size for file in (target / "shards").iterdir())
    return {
        "words": words,
        "shards": len(run.manifest.examples),
        "words_a_second": words / seconds,
        "megabytes": peak(),
        "bytes_a_word": files / words,
    }


def analysing(scratch: Path, overrides: Sequence[str]) -> float:
    """CPU nanoseconds that a stored weight takes to be read and analysed."""
    from attnray.stages.analyse import analyse  # with torch, which the driver does without

    target = scratch / "stored"
    given = (*SOURCE, "store=log16", f"run_dir={target}", *overrides)
    run = plan(composed(scratch, given), "cpu")
    process(run)
    measured = [each for name in run.metrics for each in run.measurements(name)]
    (examples,) = run.manifest.sets
    metrics = tuple(each.metric for each in measured)
    start = time.process_time()
    for shard in examples.shards:
        made_from = tuple(run.partial_fingerprint(metric, shard) for metric in metrics)
        analyse(
            AnalyseTask(
                run.folder, *run.manifest.shard(shard), metrics, made_from, run.config.cases
            )
        )
    layers, heads = run.manifest.heads
    return (time.process_time() - start) / (layers * heads * sum(examples.cells)) * 1e9


def calls(folder: Path, gpus: int, count: int) -> dict[str, float]:
    """What Ray's own calls take of the driver, with two tasks in flight for each logical GPU."""

    class Nothing:
        def run(self, *_: object) -> None:
            pass

    source = opened(folder)
    metrics = tuple(each.metric for name in source.metrics for each in source.measurements(name))
    task = ExtractTask(
        source.folder,
        *source.manifest.shard(0),
        (12, 12),
        None,
        "",
        metrics,
        ("0" * 16,) * len(metrics),
    )
    ray = vars(attnray.executors.connection)["ray"]
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    actors = [ray.remote(Nothing).remote() for _ in range(2)]
    flying = [actors[place % 2].run.remote(source.config.model, task) for place in range(2 * gpus)]
    ray.get(flying)
    start = time.process_time()
    flying = [actors[place % 2].run.remote(source.config.model, task) for place in range(2 * gpus)]
    for place in range(count):
        (ended, *_), flying = ray.wait(flying, num_returns=1)
        ray.get(ended)
        flying.append(actors[place % 2].run.remote(source.config.model, task))
    seconds = time.process_time() - start
    ray.shutdown()
    return {"tasks": count, "milliseconds": seconds / count * 1000}


if __name__ == "__main__":
    main()
