"""Maps from a store and from a model: the same bits, however they are coded and grouped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path

import pytest
import torch

from attnray.config import BatchConfig, CorpusConfig, ModelConfig, StoreConfig
from attnray.corpus.example import Example
from attnray.corpus.readers import read
from attnray.corpus.segment import Segmenter
from attnray.corpus.shards import batched
from attnray.corpus.units import Units
from attnray.metrics.analysis import analyse
from attnray.metrics.base import Found, Metric
from attnray.metrics.coreference import Coreference
from attnray.metrics.divergence import Divergence
from attnray.metrics.gap import Gap
from attnray.metrics.importance import Importance
from attnray.metrics.patterns import Patterns
from attnray.metrics.registry import METRICS
from attnray.metrics.syntax import Syntax
from attnray.model.encoder import Encoder
from attnray.model.pieces import WordPieces
from attnray.model.source import locate
from attnray.stages.extract import extract
from attnray.stages.tasks import ExtractTask
from attnray.store import maps
from attnray.store.codecs import CODECS
from attnray.store.folder import RunFolder
from attnray.store.maps import EncodedMaps, StoredMaps
from tests.builders.gap_corpus import written
from tests.builders.segmented import examples_of
from tests.builders.trees import assert_same_tree

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
SAMPLE = CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu")
#: Blocks of a few examples, so that runs of them end within a block and go over its end.
BLOCKS = (1024, 1)
#: Of syntax and coreference any merge.
EVERYTHING: list[Metric] = [
    Patterns(),
    Divergence(9, 0),
    *(Syntax(merge, labels) for merge, labels in (("mean", "full"), ("max", "universal"))),
    *(
        Coreference(128, merge, among)
        for merge, among in (("mean", "mentions"), ("first", "words"))
    ),
    Gap(128, "mean"),
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in a worker."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=["tiny", pytest.param("minilm", marks=pytest.mark.slow)])
def model(request: pytest.FixtureRequest, tiny_model: Path) -> ModelConfig:
    return (
        ModelConfig(None, str(tiny_model))
        if request.param == "tiny"
        else ModelConfig(None, None, MINILM)
    )


@pytest.fixture(scope="module")
def encoder(model: ModelConfig) -> Encoder:
    return Encoder(locate(model, 0), "cpu")


@pytest.fixture(scope="module")
def gap(tmp_path_factory: pytest.TempPathFactory) -> CorpusConfig:
    path = written(tmp_path_factory.mktemp("gap") / "gap.tsv", 6)
    return CorpusConfig("gap", "gap", str(path))


@pytest.fixture(scope="module")
def examples(model: ModelConfig, gap: CorpusConfig) -> list[Example]:
    """A shard of sentences and documents of the sample, and of passages, in small batches."""
    pieces, found = WordPieces(locate(model, 0).folder), []
    for kind, corpus in (("sentence", SAMPLE), ("document", SAMPLE), ("document", gap)):
        segmenter = Segmenter(kind, pieces, 256, 128, Units(blocks=False), 0)
        found += examples_of(segmenter, *islice(read(corpus), 10))
    numbered = [replace(example, index=number) for number, example in enumerate(found)]
    shard = batched(numbered, BatchConfig(200, 10**9))
    batches = [[e.length for e in group] for _, group in groupby(shard, lambda each: each.batch)]
    assert len(batches) > 10
    assert sum(min(lengths) < max(lengths) for lengths in batches) > 5
    assert any(len(set(lengths)) < len(lengths) for lengths in batches)
    return shard


def assert_same_found(ours: Sequence[Found], theirs: Sequence[Found]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert type(one.partial) is type(other.partial)
        assert_same_tree(one.partial, other.partial)
        assert (one.cases is None) == (other.cases is None)
        if one.cases is not None:
            assert len(one.cases) > 0
            assert one.cases.equals(other.cases)


def stored(path: Path, encoder: Encoder, examples: list[Example], codec: str) -> StoredMaps:
    """The maps of a store that the model has filled."""
    folder = RunFolder(path)
    shard = folder.write_examples(0, examples)
    heads = (encoder.layers, encoder.heads)
    task = ExtractTask(folder, *shard, heads, StoreConfig(codec, *BLOCKS), "")
    extract(lambda: nullcontext(encoder), task)
    return StoredMaps(folder.attention(0), folder.examples(*shard))


def test_all_metrics_are_here() -> None:
    assert {type(each) for each in EVERYTHING} == {*METRICS.values()} - {Importance}


@pytest.mark.parametrize("codec", CODECS)
def test_a_store_and_a_model_give_the_same_bits(
    codec: str, encoder: Encoder, examples: list[Example], tmp_path: Path
) -> None:
    source = stored(tmp_path, encoder, examples, codec)
    straight = EncodedMaps(encoder, examples, CODECS[codec])
    assert source.heads == straight.heads
    assert_same_found(*(analyse(EVERYTHING, examples, each) for each in (straight, source)))


def test_groups_change_no_bit(
    encoder: Encoder, examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = stored(tmp_path, encoder, examples, "log16")
    found, counts = [], set()
    for most in (1, 2_000, 30_000, 10**9):
        monkeypatch.setattr(maps, "GROUP_WEIGHTS", most)
        counts.add(sum(1 for _ in source.groups()))
        found.append(analyse(EVERYTHING, examples, source))
    assert len(counts) > 2
    for other in found[1:]:
        assert_same_found(other, found[0])
