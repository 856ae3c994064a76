"""The gradient of the masked-LM loss: against finite differences, and where there is a head."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, BertForMaskedLM, BertForPreTraining

from attnray.config import ModelConfig
from attnray.model.masked_lm import MaskedLM, has_head
from attnray.model.source import Checkpoint, locate
from tests.builders.masked_lm import HEADS, LAYERS, saved

EPSILON = 1e-5
CLS, SEP = 2, 3
SHORT = np.array([CLS, 7, 8, 9, SEP])
LONG = np.array([CLS, 11, 12, 9, SEP, 14, 15, 7, SEP])


@pytest.fixture(scope="module")
def checkpoint(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = saved(tiny_model, tmp_path_factory.mktemp("models") / "lm")
    return locate(ModelConfig(path=str(folder)), 0)


class Loss:
    """The loss of one example in double precision, one attention weight of it changed."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        AttentionInterface.register("changed", self._attend)
        self._model = BertForMaskedLM.from_pretrained(
            checkpoint.folder, attn_implementation="changed", dtype=torch.float64
        ).eval()

    def __call__(
        self, pieces: Any, types: Any, where: tuple[int, int, int, int], by: float
    ) -> float:
        self._where, self._by, self._layer = where, by, 0
        ids = torch.from_numpy(pieces)[None]
        with torch.no_grad():
            logits = self._model(ids, token_type_ids=torch.from_numpy(types)[None]).logits[0]
        chosen = logits.log_softmax(-1)[torch.arange(len(pieces)), ids[0]]
        return -float(chosen.sum())

    def _attend(
        self, module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        weights = (query @ key.transpose(2, 3) * query.size(-1) ** -0.5).softmax(-1)
        layer, head, q, k = self._where
        if self._layer == layer:
            weights[0, head, q, k] += self._by
        self._layer += 1
        return (weights @ value).transpose(1, 2).contiguous(), weights


def in_double(model: MaskedLM) -> MaskedLM:
    model._model.double()
    return model


def types_of(pieces: Any) -> Any:
    first = int(np.flatnonzero(pieces == SEP)[0])
    return (np.arange(len(pieces)) > first).astype(np.int64)


@pytest.mark.parametrize("batch", [[SHORT], [LONG], [SHORT, LONG]])
def test_gradients_are_finite_differences(checkpoint: Checkpoint, batch: list[Any]) -> None:
    kinds = [types_of(pieces) for pieces in batch]
    found = in_double(MaskedLM(checkpoint, "cpu")).gradients(batch, kinds)
    loss = Loss(checkpoint)
    random = np.random.default_rng(0)
    for row, (pieces, types) in enumerate(zip(batch, kinds, strict=True)):
        for _ in range(40):
            layer, head = random.integers(LAYERS), random.integers(HEADS)
            query, key = random.integers(len(pieces), size=2)
            where = (int(layer), int(head), int(query), int(key))
            sides = [loss(pieces, types, where, by) for by in (EPSILON, -EPSILON)]
            expected = (sides[0] - sides[1]) / (2 * EPSILON)
            gradient = float(found[layer][row, head, query, key])
            assert gradient == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_what_a_configuration_says_of_outputs_does_not_count(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoint.folder, tmp_path / "copy"))
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "return_dict": False}))
    models = [MaskedLM(each, "cpu") for each in (checkpoint, replace(checkpoint, folder=folder))]
    expected, found = (model.gradients([SHORT], [types_of(SHORT)]) for model in models)
    assert all(map(torch.equal, found, expected))


def test_an_example_has_the_same_gradient_alone_and_in_a_batch(checkpoint: Checkpoint) -> None:
    model = MaskedLM(checkpoint, "cpu")
    (_, together), (_, alone) = (
        model.gradients(batch, [types_of(each) for each in batch])
        for batch in ([LONG, SHORT], [SHORT])
    )
    length = len(SHORT)
    torch.testing.assert_close(together[1:, :, :length, :length], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [BertForMaskedLM, BertForPreTraining])
@pytest.mark.parametrize("tied", [True, False])
def test_checkpoints_with_a_head(tiny_model: Path, tmp_path: Path, kind: Any, tied: bool) -> None:
    folder = saved(tiny_model, tmp_path, kind, tied)
    assert has_head(locate(ModelConfig(path=str(folder)), 0))
    assert has_head(locate(ModelConfig(path=str(folder), random_init=True), 0))


def test_checkpoints_without_a_head(tiny_model: Path, minilm: Path) -> None:
    assert not has_head(locate(ModelConfig(path=str(tiny_model)), 0))
    assert not has_head(locate(ModelConfig(path=str(tiny_model), random_init=True), 0))
    assert not has_head(locate(ModelConfig(path=str(minilm)), 0))


def test_half_a_head_is_none(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = saved(tiny_model, tmp_path) / "model.safetensors"
    kept = {k: v for k, v in load_file(weights).items() if "transform.dense" not in k}
    save_file(kept, weights, {"format": "pt"})
    assert not has_head(locate(ModelConfig(path=str(tmp_path)), 0))
