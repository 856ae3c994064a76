"""Extract: what the model gives is checked before it is stored."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import attnray
from attnray.compare.subjects import opened
from attnray.executors.todo import Todo
from attnray.executors.worker import Extractor, ModelWorker
from attnray.model.encoder import Encoder
from attnray.stages.extract import extract
from attnray.stages.tasks import ExtractTask
from attnray.store.folder import RunFolder
from tests.builders.jobs import refusal


def fresh(copied: Path) -> tuple[Todo, ModelWorker]:
    """What is left of a run of which nothing is done but the plan, and who does it."""
    for path in (copied / "done").glob("*/*.json"):
        path.unlink()
    (subject,) = opened([RunFolder(copied)])
    todo = Todo(subject.run)
    assert todo.has_model_task
    return todo, ModelWorker()


def test_weights_that_are_no_numbers_end_incomplete(tiny_model: Path, tmp_path: Path) -> None:
    sick = Path(shutil.copytree(tiny_model, tmp_path / "sick"))
    weights = load_file(sick / "model.safetensors")
    name = next(name for name in weights if "layer.1" in name and "query.weight" in name)
    weights[name] = np.full_like(weights[name], 3e38)  # scores overflow
    save_file(weights, sick / "model.safetensors", metadata={"format": "pt"})
    overrides = ("executor=serial", f"model.path={sick}", f"run_dir={tmp_path / 'run'}")
    assert "layer 2" in refusal("run", *overrides, status=1)
    assert not (tmp_path / "run" / "tables").exists()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 12 bytes"),
    ],
)
def test_without_memory_batches_are_halved_down_to_one(
    error: Exception, copied: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    todo, worker = fresh(copied)
    task, of_batch = todo.model_task(), Counter[int]()
    while max(of_batch.values(), default=0) < 4:
        task = todo.model_task()
        assert isinstance(task, ExtractTask)
        of_batch = Counter(example.batch for example in task.examples)
    most, sizes = 2, list[int]()
    attention = Encoder.attention

    def short_of_memory(self: Encoder, pieces: list[Any], *rest: Any) -> None:
        sizes.append(len(pieces))
        attention(self, pieces, *rest)  # it fails when some layers are with the metrics
        if len(pieces) > most:
            raise error

    monkeypatch.setattr(Encoder, "attention", short_of_memory)
    took = worker.run(todo.model, task)
    assert took.halvings > 0
    assert max(sizes) > most >= sizes[-1]
    assert worker.passed == {}
    ours, theirs = (attnray.open(str(each)) for each in (copied, undisturbed))
    for example in task.examples:
        here, there = ours[example.index].attention(), theirs[example.index].attention()
        assert np.allclose(here, there, rtol=0, atol=1e-6)

    most = 0
    with pytest.raises(MemoryError, match="too little memory for one example at a time"):
        worker.run(todo.model, task)


def test_an_extractor_ends_with_its_device(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    todo, _ = fresh(copied)
    ended: list[int] = []

    def fail(*_: object) -> None:
        raise torch.AcceleratorError("an illegal memory access")

    monkeypatch.setattr(Encoder, "attention", fail)
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(torch.AcceleratorError):
        Extractor().run(todo.model, todo.model_task())
    assert ended == [1]


def test_each_batch_is_told_once_it_has_passed_the_model(copied: Path) -> None:
    (todo, worker), passed = fresh(copied), list[int]()
    task = todo.model_task()
    assert isinstance(task, ExtractTask)
    with worker._encoder(todo.model) as encoder:
        extract(lambda: nullcontext(encoder), task, passed.append)
    batches = Counter(example.batch for example in task.examples)
    assert passed == [*batches.values()]
    assert len(passed) > 1


def test_who_asks_an_extractor_hears_how_far_it_is(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    todo, worker, heard = fresh(copied)[0], Extractor(), list[int]()
    task, attention = todo.model_task(), Encoder.attention
    assert isinstance(task, ExtractTask)

    def asked(*args: Any) -> None:
        heard.append(sum(worker.answer().values()))
        attention(*args)

    monkeypatch.setattr(Encoder, "attention", asked)
    worker.run(todo.model, task)
    assert heard[0] == 0
    assert heard == sorted({*heard})
    assert len(heard) > 1
    assert worker.answer() == {}
