"""Attention that goes once it is measured: what is left, what is measured, what comes again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import attnray
from attnray.compare.subjects import opened
from attnray.config import Config, StoreConfig, check
from attnray.errors import InputError
from attnray.executors.todo import Todo
from attnray.executors.work import Outcome
from attnray.stages.verify import broken
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from attnray.store.run import Run
from tests.builders.jobs import markers, succeed, tables

pytestmark = pytest.mark.slow

PASSING = ("executor=serial", "store.keep=false", "store.sample=5")


def stored(run_dir: Path) -> set[int]:
    """The shards whose attention is there."""
    return {int(path.stem) for path in (run_dir / "attention").iterdir()}


def samples(run_dir: Path) -> set[int]:
    manifest = Manifest.read(RunFolder(run_dir))
    assert manifest is not None
    return set(manifest.samples.values())


@pytest.fixture(scope="module")
def passed(tiny_settings: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("passed") / "run"
    succeed("run", *PASSING, f"run_dir={run_dir}", *tiny_settings)
    return run_dir


def test_tables_are_the_same_bits_and_samples_are_left(passed: Path, undisturbed: Path) -> None:
    assert tables(passed) == tables(undisturbed)
    assert stored(passed) == samples(passed) != set()
    (subject,) = opened([RunFolder(passed)])
    assert not [*broken(subject.run)]
    assert len(attnray.open(str(passed)).stored) == 5


def test_the_sample_is_what_a_store_of_all_has(passed: Path, undisturbed: Path) -> None:
    kept, whole = attnray.open(str(passed)), attnray.open(str(undisturbed))
    for index in kept.stored:
        # (A weight's last bits depend on its batch.)
        assert kept[index].attention() == pytest.approx(whole[index].attention(), abs=2e-3)
    other = next(index for index in range(len(whole)) if index not in kept.stored)
    with pytest.raises(InputError, match="was not kept"):
        kept[other].attention()


def test_nothing_is_extracted_again_unless_more_is_to_be_measured(
    passed: Path, tiny_settings: tuple[str, ...]
) -> None:
    before = {stage: markers(passed, stage) for stage in ("extract", "analyse-syntax")}
    succeed("run", *PASSING, f"run_dir={passed}", *tiny_settings)
    assert {stage: markers(passed, stage) for stage in before} == before
    succeed("run", "merge=first", *PASSING, f"run_dir={passed}", *tiny_settings)
    assert markers(passed, "analyse-syntax") != before["analyse-syntax"]
    assert stored(passed) == samples(passed)
    succeed("run", *PASSING, f"run_dir={passed}", *tiny_settings)


def test_attention_that_was_kept_goes_without_being_measured_again(
    copied: Path, undisturbed: Path, tiny_settings: tuple[str, ...]
) -> None:
    succeed("run", *PASSING, f"run_dir={copied}", *tiny_settings)
    assert stored(copied) == samples(copied)
    assert {*markers(copied, "extract")} == {f"{shard:05}.json" for shard in samples(copied)}
    assert markers(copied, "analyse-syntax") == markers(undisturbed, "analyse-syntax")
    assert tables(copied) == tables(undisturbed)


def unmeasured(copied: Path) -> Run:
    """A run of which nothing is done, and whose attention is not to be kept."""
    for path in (copied / "done").glob("*/*.json"):
        path.unlink()
    (subject,) = opened([RunFolder(copied)])
    store = replace(subject.run.config.store, keep=False)
    return replace(subject.run, config=replace(subject.run.config, store=store))


def test_shards_that_wait_to_be_measured_are_counted(copied: Path) -> None:
    todo = Todo(unmeasured(copied))
    for passing in (1, 2, 3):
        assert todo.has_model_task
        todo.ended(Outcome(0, todo.model_task()))
        assert todo.passing == passing
    assert todo.has_free_task
    task = todo.free_task()
    assert todo.passing == 3
    todo.ended(Outcome(0, task))
    assert todo.passing == 2


def test_what_needs_attention_to_stay_is_refused() -> None:
    config = Config(store=StoreConfig("log16", keep=False), metrics=["patterns"])
    config.corpus.path, config.corpus.name, config.corpus.format = "x", "x", "text"
    config.probe.probes, config.probe.seeds = ["attention"], [0]
    config.model.name = config.executor.name = "x"
    check(config)
    for impossible in (replace(config, analysis="fused"), replace(config, metrics=["probes"])):
        with pytest.raises(InputError, match=r"store\.keep=false"):
            check(impossible)
