"""The Ray executor: actors and tasks, what is lost, and what the cluster does not have."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attnray.compare.subjects import opened
from attnray.config import Config, CorpusConfig, ExecutorConfig, ModelConfig, StoreConfig
from attnray.corpus import parts as corpus_parts
from attnray.executors.connection import Connection, ray
from attnray.executors.nodes import end_task
from attnray.executors.pulse import Pulse
from attnray.executors.ray import WORTH_A_CLUSTER, RayExecutor
from attnray.executors.todo import Todo
from attnray.executors.work import Outcome
from attnray.stages.planned import plan
from attnray.store.folder import RunFolder
from tests.builders.executor_tests import ExecutorTests, check_same_bits
from tests.builders.jobs import refusal


@pytest.fixture(autouse=True, scope="module")
def cluster() -> Iterator[None]:
    """The cluster that tests start in this process ends with them."""
    yield
    Connection.close()


class TestRay(ExecutorTests):
    """A cluster of its own on this machine."""

    executor = "executor=ray"

    def test_the_tables_and_the_page_are_the_same_bits(
        self, undisturbed: Path, tiny_settings: tuple[str, ...], tmp_path: Path
    ) -> None:
        several = ("executor.extractors=2", "executor.cpus_per_extractor=0.5")
        actors = (self.executor, *several, "executor.analysers=1")
        check_same_bits(undisturbed, tmp_path / "run", *actors, *tiny_settings)


def test_parts_planned_by_workers_are_the_same_files(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_parts, "PART_BYTES", 20_000)
    executor = RayExecutor(ExecutorConfig("ray"))
    found = []
    for name, spread in (("here", map), ("there", executor.spread)):
        config = Config(
            model=ModelConfig(name=None, path=str(tiny_model)),
            corpus=CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu"),
            store=StoreConfig("log16"),
            metrics=["syntax", "coreference"],
            run_dir=str(tmp_path / name),
        )
        run = plan(config, "cpu", spread=spread)
        assert len(corpus_parts.parts(config.corpus)) >= WORTH_A_CLUSTER
        shards = [path.read_bytes() for path in sorted((tmp_path / name / "shards").iterdir())]
        found.append((shards, run.manifest.sets, run.manifest.examples))
    assert found[0] == found[1]


def test_few_parts_start_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    Connection.close()
    executor = RayExecutor(ExecutorConfig("ray"))
    assert list(executor.spread(str, range(WORTH_A_CLUSTER - 1))) == [*"0123456"]
    assert not Connection.is_open()


def test_analyses_of_what_was_extracted_on_a_gpu_need_none(copied: Path) -> None:
    (subject,) = opened([RunFolder(copied)])
    run = subject.run
    (measurement,) = run.measurements("syntax")
    shard = measurement.examples.shards[0]
    path = copied / "partials" / "syntax" / f"{shard:05}.parquet"
    expected = path.read_bytes()
    path.unlink()
    todo = Todo(run)
    todo.model = replace(todo.model, device="cuda")
    (outcome,) = RayExecutor(run.config.executor).run([todo])
    assert isinstance(outcome, Outcome)
    assert (outcome.task.name, outcome.error) == (f"shard {shard:05}", None)
    assert todo.finished
    assert path.read_bytes() == expected


def test_the_process_of_a_task_that_hangs_is_ended() -> None:
    Connection.open()
    with Pulse() as pulse:
        hangs = ray.remote(lambda: signal.raise_signal(signal.SIGSTOP))
        reference = hangs.options(name="hangs 0", max_retries=0).remote()
        while not pulse.wait([reference], 0):
            end_task(pulse, "hangs 0")
        with pytest.raises(ray.exceptions.WorkerCrashedError):
            ray.get(reference)


def test_more_gpus_than_there_are(tmp_path: Path) -> None:
    overrides = ("executor=ray", "executor.gpus_per_extractor=1", f"run_dir={tmp_path / 'run'}")
    assert "gpus_per_extractor" in refusal("run", *overrides, scratch=True)
