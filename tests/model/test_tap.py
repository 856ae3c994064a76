"""The tap gives what the eager implementation gives, for every layer, and leaves no trace."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer

from attnray.model import tap
from attnray.model.encoder import Encoder
from tests.builders.maps import batch, eager, eager_model, load

TEXTS = (
    "The cat sat on the mat.",
    "No.",
    "She said that it was not the first time, and he, who had been there, knew it to be true.",
    "A of and to",
)

#: What float32 sums of another shape of batch move a weight by: 1.01e-6 was seen on MiniLM.
SHAPE_NOISE = 3e-6


class Case:
    """A checkpoint, loaded both ways, and examples of mixed lengths."""

    def __init__(self, folder: Path) -> None:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        self.folder = folder
        self.encoder: Encoder = load(folder)
        self.plain: Any = eager_model(folder)
        self.ids: list[list[int]] = [tokenizer(text)["input_ids"] for text in TEXTS]


@pytest.fixture(scope="module", params=["tiny_model", "minilm"])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def tapped_model(tiny_model: Path) -> Any:
    return AutoModel.from_pretrained(
        tiny_model, attn_implementation=tap.NAME, add_pooling_layer=False
    ).eval()


def test_the_examples_differ_in_length(case: Case) -> None:
    assert len({len(ids) for ids in case.ids}) == len(TEXTS)


def test_single_examples_equal_eager_to_the_last_bit(case: Case) -> None:
    for ids in case.ids:
        np.testing.assert_array_equal(batch(case.encoder, [ids])[0], eager(case.plain, ids))


def test_examples_of_a_mixed_batch_equal_their_own_eager_runs(case: Case) -> None:
    together = batch(case.encoder, case.ids)
    for ids, maps in zip(case.ids, together, strict=True):
        corner = maps[:, :, : len(ids), : len(ids)]
        np.testing.assert_allclose(corner, eager(case.plain, ids), rtol=0, atol=SHAPE_NOISE)


def test_a_mixed_batch_equals_the_same_batch_by_eager_to_the_last_bit(case: Case) -> None:
    longest = max(len(ids) for ids in case.ids)
    padded = torch.tensor([ids + [0] * (longest - len(ids)) for ids in case.ids])
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in case.ids])
    with torch.no_grad():
        layers = case.plain(padded, attention_mask=mask, output_attentions=True).attentions
    theirs = torch.stack(layers, dim=1).numpy()
    ours = batch(case.encoder, case.ids)
    for ids, one, other in zip(case.ids, ours, theirs, strict=True):
        np.testing.assert_array_equal(one[:, :, : len(ids)], other[:, :, : len(ids)])


def test_padding_keys_have_no_weight_at_all(case: Case) -> None:
    together = batch(case.encoder, case.ids)
    for ids, maps in zip(case.ids, together, strict=True):
        assert not maps[..., len(ids) :].any()


def test_rows_sum_to_one(case: Case) -> None:
    together = batch(case.encoder, case.ids)
    for ids, maps in zip(case.ids, together, strict=True):
        rows = maps[:, :, : len(ids)].astype(np.float64).sum(-1)
        np.testing.assert_allclose(rows, 1, rtol=0, atol=1e-6)


def test_there_is_a_map_for_each_layer_and_head_in_order(case: Case) -> None:
    seen: list[tuple[int, torch.dtype, tuple[int, ...]]] = []
    ids = np.array(case.ids[0])
    case.encoder.attention(
        [ids], [np.zeros_like(ids)], lambda layer, w: seen.append((layer, w.dtype, tuple(w.shape)))
    )
    config = case.plain.config
    shape = (1, config.num_attention_heads, len(ids), len(ids))
    layers = range(config.num_hidden_layers)
    assert seen == [(layer, torch.float32, shape) for layer in layers]
    assert (case.encoder.layers, case.encoder.heads) == (len(layers), shape[1])


def test_token_types_count(case: Case) -> None:
    ids = case.ids[2]
    types = [0] * 5 + [1] * (len(ids) - 5)
    found: list[torch.Tensor] = []
    case.encoder.attention(
        [np.array(ids)], [np.array(types)], lambda _, weights: found.append(weights[0].clone())
    )
    np.testing.assert_array_equal(torch.stack(found).numpy(), eager(case.plain, ids, types))
    assert not np.array_equal(torch.stack(found).numpy(), eager(case.plain, ids))


def test_hidden_states_equal_eager(case: Case) -> None:
    other = AutoModel.from_pretrained(
        case.folder, attn_implementation=tap.NAME, add_pooling_layer=False
    ).eval()
    for ids in case.ids:
        tokens = torch.tensor([ids])
        with torch.no_grad(), tap.tapped(lambda _: None):
            ours = other(tokens, output_hidden_states=True).hidden_states
        with torch.no_grad():
            theirs = case.plain(tokens, output_hidden_states=True).hidden_states
        assert len(ours) == len(theirs) == case.encoder.layers + 1
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_another_number_of_maps_than_layers_is_an_error(tiny_model: Path) -> None:
    encoder = load(tiny_model)
    encoder.layers = 3
    with pytest.raises(RuntimeError, match=r"2 attention maps .* 3 layers"):
        batch(encoder, [[2, 5, 3]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_sink_sees_float32_whatever_the_model_computes_in(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, 4, 8).to(dtype) for _ in range(3))
    seen: list[torch.Tensor] = []
    with tap.tapped(seen.append):
        output, _ = tap.attend(nn.Identity(), query, key, value, None)
    assert [weights.dtype for weights in seen] == [torch.float32]
    assert output.dtype == dtype
    rows = seen[0].double().sum(-1)
    torch.testing.assert_close(rows, torch.ones_like(rows), rtol=0, atol=1e-6)


def test_a_forward_outside_calls_no_sink(tapped_model: Any) -> None:
    seen: list[torch.Tensor] = []
    tokens = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        with tap.tapped(seen.append):
            tapped_model(tokens)
        tapped_model(tokens)
    assert len(seen) == 2


def test_a_sink_is_gone_after_an_error(tapped_model: Any) -> None:
    seen: list[torch.Tensor] = []

    def fail(weights: torch.Tensor) -> None:
        seen.append(weights)
        raise FloatingPointError

    tokens = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        with pytest.raises(FloatingPointError), tap.tapped(fail):
            tapped_model(tokens)
        tapped_model(tokens)
    assert len(seen) == 1


def test_an_inner_sink_gives_way_to_the_outer_one(tapped_model: Any) -> None:
    outer: list[torch.Tensor] = []
    inner: list[torch.Tensor] = []
    tokens = torch.tensor([[2, 5, 3]])
    with torch.no_grad(), tap.tapped(outer.append):
        with tap.tapped(inner.append):
            tapped_model(tokens)
        assert (len(outer), len(inner)) == (0, 2)
        tapped_model(tokens)
    assert (len(outer), len(inner)) == (2, 2)


def test_another_thread_does_not_reach_the_sink(tapped_model: Any) -> None:
    seen: list[torch.Tensor] = []
    ran: list[int] = []

    def forward() -> None:
        with torch.no_grad():
            ran.append(len(tapped_model(torch.tensor([[2, 5, 3]]))))

    with tap.tapped(seen.append):
        thread = threading.Thread(target=forward)
        thread.start()
        thread.join()
    assert ran
    assert not seen


def test_an_eager_model_is_unaffected_inside_and_after(tiny_model: Path) -> None:
    plain = eager_model(tiny_model)
    ids = [2, 5, 6, 7, 3]
    before = eager(plain, ids)
    seen: list[torch.Tensor] = []
    with tap.tapped(seen.append):
        np.testing.assert_array_equal(eager(plain, ids), before)
    load(tiny_model)
    np.testing.assert_array_equal(eager(eager_model(tiny_model), ids), before)
    assert not seen


def test_two_encoders_do_not_mix(tiny_model: Path, minilm: Path) -> None:
    small, large = load(tiny_model), load(minilm)
    ids = [2, 5, 6, 7, 3]
    alone = batch(small, [ids])
    assert batch(large, [ids]).shape == (1, 6, 12, 5, 5)
    np.testing.assert_array_equal(batch(small, [ids]), alone)


def test_the_weights_do_not_depend_on_the_order_of_a_batch(case: Case) -> None:
    there = batch(case.encoder, case.ids)
    back = batch(case.encoder, case.ids[::-1])[::-1]
    np.testing.assert_allclose(there, back, rtol=0, atol=SHAPE_NOISE)
