"""Whole passes over a corpus, each beside the bare eager model over the same batches."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from torch import Tensor

from attnray.corpus.parts import PART_BYTES
from attnray.corpus.readers import files
from attnray.executors.todo import Todo
from attnray.executors.work import Outcome
from attnray.metrics.groups import Group
from attnray.model.encoder import Encoder
from attnray.stages.analyse import analyse
from attnray.stages.extract import extract
from attnray.stages.parts import TokenizerSettings
from attnray.stages.tasks import AnalyseTask, ExtractTask
from attnray.store.codecs import CODECS
from attnray.store.files import Checksum
from attnray.store.run import Run
from measures.subject import Subject, found_by, found_in, load_tokenizer
from measures.timing import WALL, Part, Row, Side, Timed, alternated

T = TypeVar("T")
R = TypeVar("R")
#: Examples of a shuffled batch.
BATCH = 32
#: Seconds after which a process that has not started never will.
PATIENCE = 300


def stored_bare(subject: Subject) -> Iterator[Row]:
    """Planning, extraction into a log16 store and analysis from it."""
    compared = "partials with those of the bare model's attention, coded in memory"
    part = Part("stored/bare", subject.name, compared)
    run = subject.run
    sides = {"bare": _bare(subject), "stored": _whole(subject, run)}
    timed = alternated(sides, subject.rounds, warm=subject.warm)
    stored, _ = timed["stored"].result
    part.same("stored", found_in(stored), found_by(subject.bare, run, CODECS["log16"]))
    yield part.row("stored / bare", timed["stored"].against(timed["bare"]), goal="1.25")
    yield from _shares(part, "stored", timed)
    rate = timed["bare"].rate(sum(int(group.lengths.sum()) for group in subject.batches))
    yield part.row("bare", rate, "tokens/s")


def fused_bare(subject: Subject) -> Iterator[Row]:
    """Planning and fused extraction with store=none, without divergence and with it."""
    compared = "partials with those of the bare model's attention"
    part = Part("fused/bare", subject.name, compared)
    kept = ("analysis=fused", "store=none", "store.sample=0")
    runs = {
        "fused": subject.planned(*kept),
        "fused with divergence": subject.planned(*kept, "metrics=[patterns,syntax,divergence]"),
    }
    sides = {name: _whole(subject, run) for name, run in runs.items()}
    timed = alternated({"bare": _bare(subject), **sides}, subject.rounds, warm=subject.warm)
    for name, run in runs.items():
        found, _ = timed[name].result
        part.same(name, found_in(found), found_by(subject.bare, run))
        goal = "1.10" if name == "fused" else ""
        yield part.row(f"{name} / bare", timed[name].against(timed["bare"]), goal=goal)
        yield from _shares(part, name, timed)


def forward_naive(subject: Subject) -> Iterator[Row]:
    """The tap over planned batches, against what a notebook does."""
    compared = "mean squared weights from [CLS] of every head"
    part = Part("forward/naive", subject.name, compared)
    alone = [Group(n, [e]) for n, e in enumerate(e for g in subject.batches for e in g.examples)]
    mixed = [group.examples[0] for group in alone]
    random.Random(0).shuffle(mixed)
    shuffled = [Group(n, mixed[n : n + BATCH]) for n in range(0, len(mixed), BATCH)]
    sides = {
        "ours": _tapped(subject.encoder, subject.batches),
        "one at a time": _tapped(subject.bare, alone),
        f"shuffled batches of {BATCH}": _tapped(subject.bare, shuffled),
        "the bare model, our batches": _tapped(subject.bare, subject.batches),
    }
    timed = alternated(sides, subject.rounds, warm=subject.warm)
    ours = timed.pop("ours")
    for name, each in timed.items():
        part.same(name, {"mean": ours.result / len(mixed)}, {"mean": each.result / len(mixed)})
        yield part.row(f"{name} / ours", each.against(ours))


def planning(subject: Subject) -> Iterator[Row]:
    """Words planned in a second, by a tokenizer that has seen none of them."""
    part = Part("plan", subject.name, "checksums of the shards")
    sides = {"one core": _planned(subject, subject.run)}
    timed = alternated(sides, subject.rounds, warm=subject.warm)["one core"]
    part.same(
        "planned again", {"shards": timed.result}, {"shards": [*subject.run.manifest.examples]}
    )
    goal = "150000" if subject.run.config.corpus.format == "conllu" else ""
    yield part.row("one core", timed.rate(subject.words), "words/s", goal)
    corpus = subject.run.config.corpus
    if corpus.limit is not None:
        return  # one process plans it
    (path,) = files(corpus)
    many = subject.planned(f"corpus.path={json.dumps(_copies(subject, path))}")
    with _Two() as two:
        both = {"one": _planned(subject, many), "two": _planned(subject, many, two)}
        found = alternated(both, subject.rounds, WALL, subject.warm)
    part = replace(part, clock=WALL)
    part.same("two processes", {"shards": found["two"].result}, {"shards": found["one"].result})
    yield part.row("copies of it: one process / two", found["one"].against(found["two"]), goal="2")


class _Two:
    """Two processes, new ones whenever it is asked to start."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def start(self, settings: TokenizerSettings) -> None:
        """Have both of them, each with a tokenizer that knows no word."""
        self._end()
        context = get_context("forkserver")  # what they import is imported once
        ready = context.Barrier(3)
        self._pool = ProcessPoolExecutor(2, context, _ready, (settings, ready))
        for _ in range(2):
            self._pool.submit(int)  # starts one: none is ready yet
        ready.wait(PATIENCE)

    def __call__(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]:
        assert self._pool is not None
        return self._pool.map(function, items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()


def _ready(settings: TokenizerSettings, ready: Barrier) -> None:
    load_tokenizer(settings)
    ready.wait(PATIENCE)


def _copies(subject: Subject, path: str) -> list[str]:
    """Copies of a corpus's file that are planned as six parts; of a small one, two copies."""
    count = 6 * -(-PART_BYTES // os.path.getsize(path)) if subject.warm else 2
    copies = [str(subject.scratch / f"{n}-{Path(path).name}") for n in range(count)]
    for copy in copies:
        shutil.copyfile(path, copy)
    return copies


def _planned(subject: Subject, run: Run, two: _Two | None = None) -> Side[list[Checksum]]:
    """Planning alone: the checksums of the shards."""

    def prepare() -> Callable[[], list[Checksum]]:
        settings = subject.fresh_tokenizer()
        if two is not None:
            two.start(settings)
        folder = subject.emptied("again")
        return lambda: [*subject.replanned(run, folder, two or map).manifest.examples]

    return prepare


def _bare(subject: Subject) -> Side[None]:
    def work() -> None:
        for group in subject.batches:
            subject.bare.run(*group.inputs)

    return lambda: work


def _whole(subject: Subject, run: Run) -> Side[tuple[Run, np.ndarray]]:
    """Planning, extraction and analysis: the run, and the CPU seconds of each of the three."""

    def prepare() -> Callable[[], tuple[Run, np.ndarray]]:
        subject.fresh_tokenizer()
        folder, encoder = subject.emptied("again"), subject.encoder

        def work() -> tuple[Run, np.ndarray]:
            marks = [time.process_time()]
            again = subject.replanned(run, folder)
            marks.append(time.process_time())
            left = Todo(again)
            while left.has_model_task:
                extraction = left.model_task()
                assert isinstance(extraction, ExtractTask)
                extract(lambda: nullcontext(encoder), extraction)
                left.ended(Outcome(0, extraction))
            marks.append(time.process_time())
            while left.has_free_task:
                analysis = left.free_task()
                assert isinstance(analysis, AnalyseTask)
                analyse(analysis)
                left.ended(Outcome(0, analysis))
            marks.append(time.process_time())
            return again, np.diff(marks)

        return work

    return prepare


def _shares(part: Part, name: str, timed: dict[str, Timed[Any]]) -> Iterator[Row]:
    """What each stage takes of a pass, as shares of the bare pass of the same round."""
    seconds = np.stack([stages for _, stages in timed[name].results])
    shares = seconds / np.array(timed["bare"].seconds)[:, None]
    for stage, values in zip(("planning", "extraction", "analysis"), shares.T, strict=True):
        if values.max() > 1e-3:  # (Fused passes have no analysis.)
            yield part.row(f"{name}: {stage} / bare", values.tolist())


def _tapped(encoder: Encoder, groups: Sequence[Group]) -> Side[np.ndarray]:
    """Attention over batches: the squared weights from the first token, by layer and head."""

    def work() -> np.ndarray:
        total = np.zeros((encoder.layers, encoder.heads))

        def add(layer: int, weights: Tensor) -> None:
            total[layer] += weights[:, :, 0].square().sum((0, 2)).numpy()

        for group in groups:
            encoder.attention(*group.inputs, add)
        return total

    return lambda: work
