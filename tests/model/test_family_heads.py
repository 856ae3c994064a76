"""Checkpoints of every family with heads on top: as encoders, and their masked LM's gradient."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.encoder import Encoder
from attnray.model.families import may_have_head
from attnray.model.masked_lm import MaskedLM, has_head
from attnray.model.pieces import WordPieces
from attnray.model.source import Checkpoint, locate
from attnray.model.weights import names
from tests.builders.families import SIZE, sample_words, tiny_checkpoint
from tests.builders.maps import batch, single

IDS = [2, 45, 160, 317, 33, 45, 99, 3]
EPSILON = 1e-5
PLACES = 12
WEIGHTS = "model.safetensors"
#: Families whose models tell the second text of a pair by its types.
TYPED = ("albert", "bert", "electra")


def at(folder: Path, **settings: Any) -> Checkpoint:
    return locate(ModelConfig(path=str(folder), **settings), 0)


def copied(tiny: Path, folder: Path) -> Path:
    return Path(shutil.copytree(tiny, folder, dirs_exist_ok=True))


def saved_as(kind: str, tiny: Path, folder: Path) -> Path:
    """The tiny checkpoint saved again by another class of transformers."""
    copied(tiny, folder)
    (folder / WEIGHTS).unlink()
    getattr(transformers, kind).from_pretrained(tiny).save_pretrained(folder)
    return folder


# As encoders


def test_the_names_of_weights_tell_whether_there_may_be_a_head(tiny: Path, tmp_path: Path) -> None:
    assert may_have_head(names(at(tiny)))
    base = names(at(saved_as("AutoModel", tiny, tmp_path / tiny.name)))
    assert base
    assert not may_have_head(base)
    assert may_have_head(None)


@pytest.mark.parametrize(
    "kind",
    [
        "AutoModel",
        "AutoModelForMaskedLM",
        "AutoModelForQuestionAnswering",
        "AutoModelForSequenceClassification",
        "AutoModelForTokenClassification",
    ],
)
def test_heads_are_left_out_without_a_word(
    tiny: Path, tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = saved_as(kind, tiny, tmp_path)
    capfd.readouterr()
    found = single(folder, IDS)
    assert capfd.readouterr() == ("", "")
    np.testing.assert_array_equal(found, single(tiny, IDS))


@pytest.mark.parametrize("family", ["bert", "mpnet", "roberta"])
def test_a_folder_of_sentence_transformers_loads(
    tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = saved_as("AutoModel", tiny, tmp_path)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.Pooling"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"pooling_mode_mean_tokens": True})
    )
    capfd.readouterr()
    found = single(folder, IDS)
    assert capfd.readouterr() == ("", "")
    np.testing.assert_array_equal(found, single(tiny, IDS))
    assert not has_head(at(folder))


def test_a_missing_weight_is_named_unless_weights_are_drawn(tiny: Path, tmp_path: Path) -> None:
    folder = copied(tiny, tmp_path)
    weights = load_file(folder / WEIGHTS)
    gone = next(name for name in sorted(weights) if "att" in name and name.endswith("weight"))
    kept = {name: tensor for name, tensor in weights.items() if name != gone}
    save_file(kept, folder / WEIGHTS, {"format": "pt"})
    with pytest.raises(InputError, match=r"1 weights are missing .* model\.random_init=true"):
        single(folder, IDS)
    assert not has_head(at(folder))
    drawn = batch(Encoder(at(folder, random_init=True, seed=5), "cpu"), [IDS])
    assert np.abs(drawn[0] - single(tiny, IDS)).max() > 0.01


def test_a_weight_of_another_shape_is_an_error(tiny: Path, tmp_path: Path) -> None:
    folder = copied(tiny, tmp_path)
    path = folder / "config.json"
    key = "hidden_dim" if "hidden_dim" in path.read_text() else "intermediate_size"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, key: values[key] + 1}))
    with pytest.raises(InputError, match="weights are missing or of another shape"):
        single(folder, IDS)


@pytest.mark.parametrize("family", ["deberta-v2", "roberta"])
def test_weights_in_several_bin_files_are_all_in_the_fingerprint(
    tiny: Path, tmp_path: Path
) -> None:
    folder = copied(tiny, tmp_path)
    weights = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    parts = {f"pytorch_model-{n + 1:05}-of-00002.bin": list(weights)[n::2] for n in range(2)}
    for name, keys in parts.items():
        torch.save({key: weights[key] for key in keys}, folder / name)
    index = {"metadata": {}, "weight_map": {k: name for name, keys in parts.items() for k in keys}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    checkpoint = at(folder)
    assert checkpoint.weights == "pytorch_model.bin.index.json"
    assert checkpoint.files.keys() >= parts.keys()
    np.testing.assert_array_equal(single(folder, IDS), single(tiny, IDS))
    assert has_head(checkpoint)


# Which have a masked-LM head


def test_a_masked_lm_has_a_head_and_an_encoder_has_none(tiny: Path, tmp_path: Path) -> None:
    assert has_head(at(tiny))
    assert has_head(at(tiny, random_init=True))
    folder = saved_as("AutoModel", tiny, tmp_path)
    assert not has_head(at(folder))
    assert not has_head(at(folder, random_init=True))


@pytest.mark.parametrize("family", ["electra"])
def test_a_discriminator_has_no_masked_lm_head(tiny: Path, tmp_path: Path) -> None:
    folder = saved_as("ElectraForPreTraining", tiny, tmp_path)
    assert json.loads((folder / "config.json").read_text())["architectures"] == [
        "ElectraForPreTraining"
    ]
    np.testing.assert_array_equal(single(folder, IDS), single(tiny, IDS))
    assert not has_head(at(folder))
    assert not has_head(at(folder, random_init=True))


@pytest.mark.parametrize("family", ["albert", "bert"])
def test_a_checkpoint_of_pretraining_has_a_head(family: str, tiny: Path, tmp_path: Path) -> None:
    kind = {"albert": "AlbertForPreTraining", "bert": "BertForPreTraining"}[family]
    folder = saved_as(kind, tiny, tmp_path)
    assert has_head(at(folder))
    assert has_head(at(folder, random_init=True))


def test_a_head_under_the_names_of_deberta_v3_counts_where_the_configuration_says_so(
    tmp_path: Path,
) -> None:
    folder = tiny_checkpoint("deberta-v2", tmp_path, legacy=False)
    assert any(name.startswith("lm_predictions.") for name in load_file(folder / WEIGHTS))
    assert has_head(at(folder))
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "legacy": True}))
    assert not has_head(at(folder))


# The gradient


@pytest.fixture
def cases(family: str, tiny: Path) -> list[tuple[Any, Any]]:
    """A pair, and a shorter sentence that is padded beside it."""
    pieces = WordPieces(tiny)
    words = [p for word in pieces.split(sample_words()[20:40]) for p in word]
    pair, one = pieces.pair, pieces.single
    first, second = words[:7], words[7:16]
    ids = [*pair.before, *first, *pair.between, *second, *pair.after]
    head = len(pair.before) + len(first) + len(pair.between)
    types = [0] * head + [pair.types[1]] * (len(ids) - head)
    short = [*one.before, *words[20:24], *one.after]
    return [
        (np.array(ids), np.array(types)),
        (np.array(short), np.zeros(len(short), np.int64)),
    ]


class Loss:
    """The loss of one example by transformers' own eager model in double precision.

    One weight of it can be changed: every eager attention calls the softmax once.
    """

    def __init__(self, folder: Path, typed: bool) -> None:
        self._typed = typed
        self._model = AutoModelForMaskedLM.from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float64
        ).eval()

    def __call__(self, ids: Any, types: Any, where: tuple[int, int, int, int], by: float) -> float:
        layer, head, query, key = where
        calls: Iterator[int] = iter(range(1000))
        softmax = nn.functional.softmax

        def changed(scores: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
            weights = softmax(scores, dim)  # ModernBERT asks for float32
            if next(calls) == layer:
                weights[0, head, query, key] += by
            return weights

        kinds = {"token_type_ids": torch.tensor(types)[None]} if self._typed else {}
        with torch.no_grad(), mock.patch.object(nn.functional, "softmax", changed):
            logits = self._model(torch.tensor(ids)[None], **kinds).logits[0]
        self.layers = next(calls)
        chosen = logits.log_softmax(-1)[torch.arange(len(ids)), torch.tensor(ids)]
        return -float(chosen.sum())


def test_gradients_are_finite_differences(
    family: str, tiny: Path, cases: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # ModernBERT turns queries and keys in float32, whatever the model's number type.
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    model = MaskedLM(at(tiny), "cpu")
    model._model.double()
    found = model.gradients([ids for ids, _ in cases], [types for _, types in cases])
    assert len(found) == model.layers
    loss = Loss(tiny, family in TYPED)
    random = np.random.default_rng(0)
    for row, (ids, types) in enumerate(cases):
        seen = []
        for _ in range(PLACES):
            layer, head = random.integers(model.layers), random.integers(model.heads)
            query, key = random.integers(len(ids), size=2)
            where = (int(layer), int(head), int(query), int(key))
            above, below = (loss(ids, types, where, by) for by in (EPSILON, -EPSILON))
            gradient = float(found[layer][row, head, query, key])
            expected = (above - below) / (2 * EPSILON)
            assert gradient == pytest.approx(expected, rel=1e-5, abs=1e-6)
            seen.append(abs(gradient))
        assert max(seen) > 1e-3
    assert loss.layers == model.layers


def test_an_example_has_the_same_gradient_alone_and_in_a_batch(
    tiny: Path, cases: list[tuple[Any, Any]]
) -> None:
    model = MaskedLM(at(tiny), "cpu")
    together = model.gradients([ids for ids, _ in cases], [types for _, types in cases])
    ids, types = cases[1]
    alone = model.gradients([ids], [types])
    for one, other in zip(together, alone, strict=True):
        cut = one[1:, :, : len(ids), : len(ids)]
        torch.testing.assert_close(cut, other, rtol=1e-3, atol=1e-4)


def test_a_gradient_leaves_no_hook_that_sees_attention_behind(
    tiny: Path, cases: list[tuple[Any, Any]]
) -> None:
    model, before = MaskedLM(at(tiny), "cpu"), single(tiny, IDS)
    model.gradients([cases[1][0]], [cases[1][1]])
    np.testing.assert_array_equal(single(tiny, IDS), before)
    assert model.heads == SIZE["num_attention_heads"]
