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
import heapq
import json
import os
import pickle
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from hydra import compose, initialize_config_dir

import attnray.executors.ray
from attnray.cli.choices import configuration_folder, register_models
from attnray.config import Config, ExecutorConfig, register, typed
from attnray.config import planned as planned_config
from attnray.executors.process import process
from attnray.executors.work import make_executor
from attnray.executors.worker import run_free
from attnray.metrics.tree import merge
from attnray.model.source import locate
from attnray.stages.planned import plan
from attnray.stages.reduce import reduce
from attnray.stages.tasks import AnalyseTask, ExtractTask
from attnray.store.files import write_json
from attnray.store.folder import RunFolder, measured
from attnray.store.manifest import Manifest
from attnray.store.run import Run

#: What makes the run whose files are taken.
SOURCE = (
    "executor=serial",
    "metrics=[patterns,syntax]",
    "store=none",
    "store.sample=0",
    "shard.examples=56",
)
BERT_BASE = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
}
TOKENIZER = ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
#: Seconds that a shard has a logical GPU, or its analysis a CPU, give or take a fifth.
EXTRACTION, ANALYSIS, SPREAD = 1.2, 1.0, 0.2


def main() -> None:
    """Simulate each number of shards, print what was measured, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shards", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--gpus", type=int, default=256, help="logical ones")
    parser.add_argument("--copies", type=int, default=300, help="of the sample, to time planning")
    parser.add_argument("--calls", type=int, default=0, help="time so many tasks of Ray itself")
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
        if options.copies:
            found["planning"] = apart(planning, scratch, options.copies, overrides)
            print(found["planning"], flush=True)
        if options.calls:
            found["ray"] = apart(calls, source, options.gpus, options.calls)
            print(found["ray"], flush=True)
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


# The run whose files are taken


def make_source(scratch: Path, overrides: Sequence[str]) -> Path:
    """Make the small run, unless it is there; gives its folder."""
    folder = scratch / "source"
    run = plan(composed(scratch, [*SOURCE, f"run_dir={folder}", *overrides]), "cpu")
    process(run)
    reduce(run)
    return folder


def composed(scratch: Path, overrides: Sequence[str]) -> Config:
    """The configuration of overrides; without a model among them of one of BERT-base's shapes."""
    register()
    register_models()
    with initialize_config_dir(str(configuration_folder()), version_base=None):
        config = typed(compose("config", overrides=[*overrides]))
    if any(each.startswith("model") for each in overrides):
        return config
    base = scratch / "bert-base"
    if not base.exists():
        base.mkdir(parents=True)
        for name in TOKENIZER:
            shutil.copy(locate(config.model, 0).folder / name, base)
        write_json(base / "config.json", BERT_BASE)
    model = replace(config.model, name="bert-base", path=str(base), checksums={}, random_init=True)
    return replace(config, model=model)


def opened(folder: Path) -> Run:
    """The run in a folder."""
    manifest = Manifest.read(RunFolder(folder))
    assert manifest is not None
    return Run(RunFolder(folder), typed(planned_config(manifest.config)), manifest)


def repeated(manifest: Manifest, copies: int) -> Manifest:
    """A plan with the shards of another so many times."""
    (examples,) = manifest.sets
    many = replace(
        examples,
        shards=range(len(examples.shards) * copies),
        sizes=[*examples.sizes] * copies,
        tokens=[*examples.tokens] * copies,
        cells=[*examples.cells] * copies,
        counts={item: count * copies for item, count in examples.counts.items()},
    )
    return replace(manifest, sets=[many], examples=[*manifest.examples] * copies)


# What stands in for Ray


class Meter:
    """Tells what the driver takes from what stands for others."""

    def __init__(self) -> None:
        self._others = 0.0

    def seconds(self) -> float:
        """CPU seconds of this process so far, but for those of others."""
        return time.process_time() - self._others

    @contextmanager
    def others(self) -> Iterator[None]:
        """What is done in here is not the driver's."""
        start = time.process_time()
        try:
            yield
        finally:
            self._others += time.process_time() - start


class Actor:
    """A logical GPU: one task after another; `busy` are the seconds it had one."""

    def __init__(self, cluster: Cluster) -> None:
        self.free = self.busy = 0.0
        self.run = SimpleNamespace(remote=lambda *args: cluster.submit(args, self))
        self.load = SimpleNamespace(remote=lambda *_: None)


@dataclass(frozen=True)
class Call:
    """A function that a worker calls when what it makes is wanted."""

    function: Any
    sent: bytes

    def made(self) -> Any:
        """What it makes."""
        return self.function(*pickle.loads(self.sent))


class Cluster:
    """The calls of Ray that the executor makes, on a clock of its own: `now`, in seconds."""

    exceptions = SimpleNamespace(
        RayError=type("RayError", (Exception,), {}),
        RayTaskError=type("RayTaskError", (Exception,), {}),
    )

    def __init__(self, meter: Meter, work: Callable[[Any], None], cpus: int) -> None:
        self._meter = meter
        self._work = work
        self._cpus = cpus
        self._random = random.Random(0)
        self._flying: list[tuple[float, int, Any]] = []
        self._landed: set[int] = set()
        self.now = 0.0
        self.tasks = self.bytes_sent = self.most_flying = 0
        self.actors: list[Actor] = []

    def is_initialized(self) -> bool:
        """It is there."""
        return True

    def cluster_resources(self) -> dict[str, float]:
        """A CPU for each GPU."""
        return {"CPU": self._cpus}

    def remote(self, what: object) -> Any:
        """What makes an actor of a class, or a task of a function."""
        if isinstance(what, type):
            handle = SimpleNamespace(remote=self._actor)
        elif what is run_free:
            handle = SimpleNamespace(remote=lambda *args: self.submit(args, None))
        else:
            handle = SimpleNamespace(remote=lambda *args: Call(what, pickle.dumps(args)))
        handle.options = lambda **_: handle
        return handle

    def submit(self, args: tuple[Any, ...], actor: Actor | None) -> int:
        """Start a task, the last of the arguments, when its actor is free; gives its reference."""
        # Ray does that as well, on the driver's account.
        self.bytes_sent += len(pickle.dumps(args))
        with self._meter.others():
            seconds = ANALYSIS if actor is None else EXTRACTION
            seconds *= self._random.uniform(1 - SPREAD, 1 + SPREAD)
            end = seconds + (self.now if actor is None else max(self.now, actor.free))
            if actor is not None:
                actor.free = end
                actor.busy += seconds
            self.tasks += 1
            heapq.heappush(self._flying, (end, self.tasks, args[-1]))
            self.most_flying = max(self.most_flying, len(self._flying))
            return self.tasks

    def wait(self, references: list[int], **_: Any) -> tuple[list[int], list[int]]:
        """The tasks that have ended; where none has, the first that does, once it committed."""
        with self._meter.others():
            if not self._landed:
                self.now, reference, task = heapq.heappop(self._flying)
                self._work(task)
                self._landed.add(reference)
            landed = [each for each in references if each in self._landed]
            return landed, [each for each in references if each not in self._landed]

    def get(self, reference: int | Call) -> Any:
        """What a worker makes: of a shard nothing but files, and then it is known of."""
        if isinstance(reference, Call):
            with self._meter.others():
                made = pickle.dumps(reference.made())
            return pickle.loads(made)
        self._landed.discard(reference)
        return None

    def cancel(self, reference: Call) -> None:
        """It was not begun."""

    def kill(self, actor: Actor) -> None:
        """It has nothing to do any more."""

    def busy(self) -> float:
        """The share of the time in which GPUs had a task."""
        return sum(actor.busy for actor in self.actors) / (len(self.actors) * self.now)

    def _actor(self) -> Actor:
        self.actors.append(Actor(self))
        return self.actors[-1]


@dataclass(frozen=True)
class StandIn:
    """Commits for a task what the shard it repeats has in the run of `source`."""

    source: Run

    def __call__(self, task: Any) -> None:
        """Link the files; a shard that is committed twice is an error."""
        assert isinstance(task, ExtractTask | AnalyseTask)
        number = task.shard % len(self.source.manifest.examples)
        for metric, fingerprint in zip(task.metrics, task.fingerprints, strict=True):
            outputs = []
            for kind in ("partials", "cases"):
                folder = f"{kind}/{metric.name}"
                real = self.source.folder.path / folder / f"{number:05}.parquet"
                if real.exists():
                    outputs.append(task.folder.path / folder / f"{task.shard:05}.parquet")
                    outputs[-1].parent.mkdir(parents=True, exist_ok=True)
                    os.link(real, outputs[-1])
            task.folder.commit(measured(metric.name), task.shard, fingerprint, outputs)


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
    with mock.patch.object(attnray.executors.ray, "ray", cluster):
        for name, phase in phases.items():
            forget_peak()
            start = meter.seconds()
            phase()
            milliseconds[name] = (meter.seconds() - start) / shards * 1000
            megabytes[name] = peak()
    del milliseconds["start"]
    check(run, source, copies)
    manifest_bytes = run.folder.manifest.stat().st_size
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
    }


def check(run: Run, source: Run, copies: int) -> None:
    """Every shard is in the tables, once."""
    for name, column in (("patterns", "examples"), ("syntax", "total"), ("syntax", "correct")):
        found, one = (np.asarray(each.folder.table(name)[column]) for each in (run, source))
        if not np.array_equal(found, one * copies):
            sys.exit(f"{run.folder.path}: {name}.{column} is not {copies} times that of a copy")


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
    return int(found[1]) / 1000


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


def calls(folder: Path, gpus: int, count: int) -> dict[str, float]:
    """What Ray's own calls take of the driver, with two tasks in flight for each logical GPU."""

    class Nothing:
        def run(self, *_: object) -> None:
            pass

    source = opened(folder)
    metrics = tuple(each.metric for name in source.metrics for each in source.measurements(name))
    task = ExtractTask(source.folder, 0, (12, 12), None, "", metrics, ("0" * 16,) * len(metrics))
    ray = vars(attnray.executors.ray)["ray"]
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
