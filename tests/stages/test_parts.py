"""Planning in parts: what a corpus of many parts has beside the same one in a single part."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnray.config import Config, CorpusConfig, ModelConfig, StoreConfig
from attnray.corpus import parts as corpus_parts
from attnray.corpus.example import Example
from attnray.errors import InputError
from attnray.stages.parts import TokenizerSettings, draft, word_pieces
from attnray.stages.planned import plan
from attnray.store.run import Run

SAMPLE = resources.files("attnray.corpus").joinpath("sample.conllu")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 20 kB: the sample has a dozen."""
    monkeypatch.setattr(corpus_parts, "PART_BYTES", 20_000)


def configured(model: Path, path: object, run_dir: Path, form: str = "conllu") -> Config:
    config = Config(
        model=ModelConfig(name=None, path=str(model)),
        corpus=CorpusConfig("x", form, path),
        store=StoreConfig("log16"),
        metrics=["patterns", "syntax", "coreference"],
        max_tokens=[128, 32],
        run_dir=str(run_dir),
    )
    config.executor.name = "serial"
    return config


class Spread:
    """Does what it is given, last first, as workers may; counts it."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def __call__(self, function: Callable[..., Any], items: Sequence[Any], /) -> Iterable[Any]:
        self.counts.append(len(items))
        found = [function(item) for item in reversed(items)]
        return found[::-1]


def rows(run: Run, kind: str) -> list[Example]:
    """The examples of a kind in the order of the corpus."""
    sets = [each for each in run.manifest.sets if each.kind == kind]
    found = [
        example
        for each in sets
        for shard in each.shards
        for example in sorted(
            run.folder.examples(*run.manifest.shard(shard), spellings=True), key=lambda e: e.index
        )
    ]
    assert [e.index for e in found] == [i for each in sets for i in range(each.size)]
    return found


def assert_same(ours: Example, theirs: Example) -> None:
    for name in Example.__slots__:
        if name != "batch":
            assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name


def in_both_ways(config: Config, run_dir: Path) -> tuple[Run, Run]:
    """A run planned in parts, and one in a single part."""
    spread = Spread()
    cut = plan(config, "cpu", spread=spread)
    assert max(spread.counts) > 5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_parts, "PART_BYTES", 10**9)
        return cut, plan(replace(config, run_dir=str(run_dir)), "cpu")


def text_of_sample(path: Path) -> Path:
    documents = SAMPLE.read_text(encoding="utf-8").split("# newdoc")[1:]
    texts = (re.findall(r"^# text = (.*)", each, re.MULTILINE) for each in documents)
    path.write_text("\n\n".join("\n".join(lines) for lines in texts) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("form", ["conllu", "text"])
def test_examples_counts_units_and_folds_are_those_of_a_single_part(
    form: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(str(SAMPLE))
    if form == "text":
        path = text_of_sample(tmp_path / "sample.txt")
        monkeypatch.setattr(corpus_parts, "PART_BYTES", 1000)
    config = configured(tiny_model, str(path), tmp_path / "cut", form)
    cut, one = in_both_ways(config, tmp_path / "one")
    kinds = ["sentence", "document"] if form == "conllu" else ["pair"]
    assert [(each.kind, each.key) for each in cut.manifest.sets] == [
        (each.kind, each.key) for each in one.manifest.sets
    ]
    for kind in kinds:
        for ours, theirs in zip(rows(cut, kind), rows(one, kind), strict=True):
            assert_same(ours, theirs)
    for in_parts, in_one in zip(cut.manifest.sets, one.manifest.sets, strict=True):
        assert in_parts.counts == in_one.counts
        assert math.isclose(in_parts.mean_ln_length, in_one.mean_ln_length, rel_tol=1e-12)
        assert len(in_parts.sizes) > len(in_one.sizes)
    for run in (cut, one):
        assert [e.name for e in sorted(Path(run.folder.root, "shards").iterdir())] == [
            f"{n:05}.parquet" for n in range(len(run.manifest.examples))
        ]
        assert {e.name for e in Path(run.folder.root).iterdir()} == {"manifest.json", "shards"}


@pytest.mark.usefixtures("small")
def test_a_shard_ends_with_its_part(tiny_model: Path, tmp_path: Path) -> None:
    config = configured(tiny_model, str(SAMPLE), tmp_path / "run")
    run = plan(config, "cpu")
    found = corpus_parts.parts(config.corpus)
    documents = [{d.id for d in corpus_parts.documents(config.corpus, part)} for part in found]
    assert len(found) > 5
    for each in run.manifest.sets:
        of_shards = [
            {e.document for e in run.folder.examples(*run.manifest.shard(shard))}
            for shard in each.shards
        ]
        assert of_shards == documents


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("limit", [7, 23])
def test_a_limit_reaches_over_what_would_be_parts(
    limit: int, tiny_model: Path, tmp_path: Path
) -> None:
    config = configured(tiny_model, str(SAMPLE), tmp_path / "run")
    config.corpus.limit = limit
    spread = Spread()
    run = plan(config, "cpu", spread=spread)
    assert set(spread.counts) == {1}
    for each in run.manifest.sets:
        assert each.counts["documents"] == limit
        assert len(each.shards) == 1
    blocks = limit < 20
    sentences = rows(run, "sentence")
    assert len({e.unit for e in sentences}) == (-(-len(sentences) // 20) if blocks else limit)


@pytest.mark.usefixtures("small")
def test_blocks_reach_over_what_would_be_parts(tiny_model: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.conllu"
    documents = SAMPLE.read_text(encoding="utf-8").split("# newdoc")[1:20]
    few.write_text("".join(f"# newdoc{each}" for each in documents), encoding="utf-8")
    run = plan(configured(tiny_model, str(few), tmp_path / "run"), "cpu")
    sentences = rows(run, "sentence")
    assert [e.unit for e in sentences] == [number // 20 for number in range(len(sentences))]


@pytest.mark.usefixtures("small")
def test_the_first_error_of_the_corpus_ends_the_plan(tiny_model: Path, tmp_path: Path) -> None:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    words = [number for number, line in enumerate(lines) if line[:1].isdigit()]
    for number in (words[-5], words[len(words) // 2]):
        lines[number] = "1\tbroken"
    broken = tmp_path / "broken.conllu"
    broken.write_text("\n".join(lines), encoding="utf-8")
    run_dir = tmp_path / "run"
    with pytest.raises(InputError) as caught:
        plan(configured(tiny_model, str(broken), run_dir), "cpu")
    line = words[len(words) // 2] + 1
    assert str(caught.value).startswith(f"{broken}:{line}: 2 columns")
    assert not (run_dir / "manifest.json").exists()
    assert not (run_dir / "drafts").exists()


@pytest.mark.usefixtures("small")
def test_what_a_killed_plan_left_behind_is_no_part_of_the_next(
    tiny_model: Path, tmp_path: Path
) -> None:
    config = configured(tiny_model, str(SAMPLE), tmp_path / "run")

    def killed(function: Callable[..., Any], items: Sequence[Any], /) -> Iterable[Any]:
        for place, item in enumerate(items):
            if function is draft and place == 3:
                raise KeyboardInterrupt
            yield function(item)

    drafts = tmp_path / "run" / "drafts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            plan(config, "cpu", spread=killed)
        left = len(list(drafts.glob("*.arrow")))
    assert left == 3
    other = replace(config, run_dir=str(tmp_path / "other"))
    runs = plan(config, "cpu"), plan(other, "cpu")
    assert not drafts.exists()
    assert runs[0].manifest.examples == runs[1].manifest.examples
    assert runs[0].manifest.sets == runs[1].manifest.sets


def test_a_worker_has_the_tokenizer_of_the_plan_or_none(tiny_model: Path) -> None:
    settings = TokenizerSettings(str(tiny_model), None, None, 9, "another")
    with pytest.raises(InputError, match="every machine needs the same checkpoint"):
        word_pieces(settings)
