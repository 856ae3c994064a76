"""A run is begun before its plan is whole, and is what it would be if it were not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attnray.config import Config, CorpusConfig, ModelConfig, StoreConfig
from attnray.corpus import parts as corpus_parts
from attnray.errors import InputError
from attnray.executors.process import process, process_growing
from attnray.executors.work import make_executor
from attnray.stages.planned import plan, states
from attnray.stages.reduce import reduce
from attnray.store.run import Run
from tests.builders.jobs import markers, tables


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 20 kB: the sample has a dozen."""
    monkeypatch.setattr(corpus_parts, "PART_BYTES", 20_000)


def configured(model: Path, run_dir: Path, **settings: Any) -> Config:
    config = Config(
        model=ModelConfig(name=None, path=str(model)),
        corpus=CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu"),
        store=StoreConfig("log16"),
        metrics=["patterns", "divergence", "syntax", "coreference"],
        max_tokens=[128, 32],
        run_dir=str(run_dir),
    )
    config.executor.name = "serial"
    config.shard.examples = 12
    return replace(config, **settings)


def watched(config: Config, seen: list[tuple[int, int]]) -> Iterator[Run]:
    """The states; before each, how many shards were planned so far, and how many extracted."""
    for run in states(config, "cpu"):
        yield run
        extracted = markers(Path(run.folder.root), "extract")
        seen.append((len(run.manifest.examples), len(extracted)))


WAYS: dict[str, dict[str, Any]] = {
    "stored": {},
    "fused": {"analysis": "fused", "metrics": ["patterns", "syntax", "coreference"]},
    "fused, of the whole set": {"analysis": "fused"},
    "fused, a sample stored": {"store": StoreConfig("none", sample=5)},
}


@pytest.mark.parametrize("way", WAYS)
def test_its_tables_are_those_of_one_planned_before(
    way: str, tiny_model: Path, tmp_path: Path
) -> None:
    before = plan(configured(tiny_model, tmp_path / "before", **WAYS[way]), "cpu")
    process(before)
    reduce(before)
    config = configured(tiny_model, tmp_path / "growing", **WAYS[way])
    run = process_growing(states(config, "cpu"), make_executor(config.executor))
    reduce(run)
    assert run.whole
    assert tables(tmp_path / "growing") == tables(tmp_path / "before")
    assert run.manifest.examples == before.manifest.examples


@pytest.mark.parametrize("way", ["stored", "fused"])
def test_what_is_planned_is_extracted_before_the_rest_is_planned(
    way: str, tiny_model: Path, tmp_path: Path
) -> None:
    settings = {**WAYS[way], "store": StoreConfig("float32")}
    config = configured(tiny_model, tmp_path / "run", **settings)
    seen: list[tuple[int, int]] = []
    run = process_growing(watched(config, seen), make_executor(config.executor))
    assert len(seen) > 10
    assert all(extracted == planned for planned, extracted in seen)
    assert seen[-1][0] == len(run.manifest.examples)


def test_a_fused_shard_passes_the_model_once(tiny_model: Path, tmp_path: Path) -> None:
    config = configured(tiny_model, tmp_path / "run", **WAYS["fused"])
    executor = make_executor(config.executor)
    first: dict[str, int] = {}
    for run in states(config, "cpu"):
        planned = replace(run, whole=True, config=replace(config, metrics=run.metrics))
        process_growing(iter([planned]), executor)
        for path in (tmp_path / "run" / "done").glob("*/*.json"):
            key = f"{path.parent.name}/{path.name}"
            assert first.setdefault(key, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    assert run.whole
    assert not [*run.unfinished()]


@pytest.mark.parametrize("executor", ["serial", "ray"])
def test_what_cannot_be_planned_ends_it(executor: str, tiny_model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.conllu"
    good = "".join(
        f"# newdoc id = d{number}\n" + "1\tshe\t_\tPRON\t_\t_\t2\tnsubj\t_\t_\n"
        "2\truns\t_\tVERB\t_\t_\t0\troot\t_\t_\n\n" * 30
        for number in range(40)
    )
    broken.write_text(good + "1\tshe\n\n")
    config = configured(tiny_model, tmp_path / "run", metrics=["syntax"])
    config.corpus.path, config.corpus.format = str(broken), "conllu"
    config.executor.name = executor
    with pytest.raises(InputError, match=r"broken\.conllu:\d+"):
        process_growing(states(config, "cpu"), make_executor(config.executor))
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_a_plan_that_is_there_has_one_state(tiny_model: Path, tmp_path: Path) -> None:
    config = configured(tiny_model, tmp_path / "run")
    assert [run.whole for run in states(config, "cpu")][-2:] == [False, True]
    assert [run.whole for run in states(config, "cpu")] == [True]
