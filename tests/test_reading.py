"""`attnray.open`: any example's attention, by document or index, of tokens or words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import attnray
from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.encoder import Encoder
from attnray.model.source import locate
from attnray.store.attention import AttentionReader
from tests.builders.cases import case_of
from tests.builders.jobs import SMALL, succeed
from tests.builders.once import Once
from tests.builders.oracle import word_attention


@pytest.fixture(scope="module")
def run_dir(tiny_model: Path, once: Once) -> Path:
    overrides = (f"model.path={tiny_model}", "store=float32", "corpus.limit=4", *SMALL)

    def make(folder: Path) -> None:
        succeed("run", "executor=serial", f"run_dir={folder / 'run'}", *overrides)

    return once("reading", make) / "run"


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> Encoder:
    return Encoder(locate(ModelConfig(path=str(tiny_model)), 0), "cpu")


def test_every_example_is_what_the_model_gives(run_dir: Path, encoder: Encoder) -> None:
    run = attnray.open(str(run_dir))
    examples = list(run)
    names = {stored.document for stored in examples}
    assert len(run) == len(examples) == sum(len(run.document(name)) for name in names)
    for index, stored in enumerate(examples):
        assert stored.index == index
        layers: list[torch.Tensor] = []
        encoder.attention(
            [stored.pieces],
            [stored.types],
            lambda _, weights, layers=layers: layers.append(weights),  # type: ignore[misc]
        )
        assert np.allclose(stored.attention(), torch.cat(layers).numpy(), rtol=0, atol=1e-5)


def test_examples_are_the_same_by_place_and_one_after_another(run_dir: Path) -> None:
    run = attnray.open(run_dir)
    for index, example in enumerate(run):
        alone = attnray.open(run_dir)[index]
        assert example.index == alone.index == run[index - len(run)].index == index
        assert np.array_equal(example.attention(), alone.attention())
    assert [each.index for each in run[-3:]] == [index - 2, index - 1, index]
    assert [each.index for each in run[5:1:-2]] == [5, 3]


def test_one_head_is_a_slice_of_all(run_dir: Path) -> None:
    stored = attnray.open(str(run_dir))[7]
    whole = stored.attention()
    assert whole.shape == (2, 3, len(stored.tokens), len(stored.tokens))
    assert np.array_equal(stored.attention(layer=2, head=3), whole[1, 2])
    assert np.array_equal(stored.attention(layer=1), whole[0])
    assert np.array_equal(stored.attention(head=2), whole[:, 1])


@pytest.mark.parametrize("merge", ["mean", "first", "max"])
def test_words_are_those_of_the_definition(run_dir: Path, merge: str) -> None:
    for stored in attnray.open(str(run_dir)).document("02-recipe"):
        expected = word_attention(case_of(stored, stored.attention()), merge)
        assert np.array_equal(stored.attention(words=True, merge=merge), expected)
        one = stored.attention(layer=1, head=2, words=True, merge=merge)
        assert np.array_equal(one, expected[0, 1])


def test_documents_are_another_kind_of_example(run_dir: Path) -> None:
    (stored,) = attnray.open(str(run_dir), kind="document").document("01-news")
    assert len(stored.mentions) > 3
    assert stored.tokens[0] == "[CLS]"


def test_reading_one_head_decodes_only_its_chunks(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = attnray.open(str(run_dir))[0]
    monkeypatch.setattr(AttentionReader, "scan", None)
    assert stored.attention(layer=1, head=1).shape == (len(stored.tokens),) * 2


def test_the_tables_are_at_hand(run_dir: Path) -> None:
    assert "relation" in attnray.open(str(run_dir)).table("syntax_best").column_names


def test_what_is_not_there_is_said(run_dir: Path, tmp_path: Path) -> None:
    run = attnray.open(str(run_dir))
    with pytest.raises(InputError, match=r"manifest\.json"):
        attnray.open(str(tmp_path))
    with pytest.raises(InputError, match="kind pair"):
        attnray.open(str(run_dir), kind="pair")
    with pytest.raises(InputError, match="layer 0"):
        run[0].attention(layer=0)
    with pytest.raises(InputError, match="head 4"):
        run[0].attention(head=4)
    with pytest.raises(InputError, match="merge=median is not possible: mean, first, max are"):
        run[0].attention(words=True, merge="median")
    with pytest.raises(InputError, match="probes"):
        run.table("probes")
    for index in (len(run), -len(run) - 1):
        with pytest.raises(IndexError, match=f"no example {index}"):
            run[index]
    with pytest.raises(KeyError, match="nowhere"):
        run.document("nowhere")
