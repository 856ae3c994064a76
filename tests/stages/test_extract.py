"""Extract: what the model gives is checked before it is stored."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from attnray.compare.subjects import opened
from attnray.executors.todo import Todo
from attnray.executors.worker import ModelWorker
from attnray.stages.extract import extract
from attnray.stages.tasks import ExtractTask
from attnray.store.folder import RunFolder
from tests.builders.jobs import refusal


def test_weights_that_are_no_numbers_end_incomplete(tiny_model: Path, tmp_path: Path) -> None:
    sick = Path(shutil.copytree(tiny_model, tmp_path / "sick"))
    weights = load_file(sick / "model.safetensors")
    name = next(name for name in weights if "layer.1" in name and "query.weight" in name)
    weights[name] = np.full_like(weights[name], 3e38)  # scores overflow
    save_file(weights, sick / "model.safetensors", metadata={"format": "pt"})
    overrides = ("executor=serial", f"model.path={sick}", f"run_dir={tmp_path / 'run'}")
    assert "layer 2" in refusal("run", *overrides, status=1)
    assert not (tmp_path / "run" / "tables").exists()


def test_each_batch_is_told_once_it_has_passed_the_model(copied: Path) -> None:
    for path in (copied / "done").glob("*/*.json"):
        path.unlink()
    (subject,) = opened([RunFolder(copied)])
    todo, worker, passed = Todo(subject.run), ModelWorker(), list[int]()
    assert todo.has_model_task
    task = todo.model_task()
    assert isinstance(task, ExtractTask)
    with worker._encoder(todo.model) as encoder:
        extract(lambda: nullcontext(encoder), task, passed.append)
    batches = Counter(example.batch for example in task.examples)
    assert passed == [*batches.values()]
    assert len(passed) > 1
    worker.run(todo.model, task)
    assert worker.passed == 0
