"""Every family gives what a plain eager run of single examples gives, or says what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model import families
from attnray.model.configuration import read_config
from attnray.model.families import longest_input
from attnray.model.pieces import Layout, WordPieces
from attnray.model.source import locate
from tests.builders.families import FAMILIES, SIZE, WINDOW, sample_words, tiny_checkpoint
from tests.builders.maps import Maps, batch, load

#: Families whose models have an embedding for the second text of a pair.
TYPED = ("albert", "bert", "electra")
#: Families whose positions are counted from behind the padding id, which is 1 in all of them.
AFTER_PADDING = ("camembert", "mpnet", "roberta", "xlm-roberta")
#: Families without an embedding for each position, so that nothing ends by itself.
ENDLESS = ("deberta-v2", "modernbert")

#: Configurations of known checkpoints that take other ways through the model.
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("albert", {"inner_group_num": 2}),
    ("albert", {"num_hidden_layers": 4, "num_hidden_groups": 2}),
    ("bert", {"position_embedding_type": "absolute"}),
    ("deberta-v2", {"conv_kernel_size": 3, "conv_act": "gelu"}),
    ("deberta-v2", {"position_biased_input": True, "type_vocab_size": 2, "share_att_key": False}),
    ("deberta-v2", {"position_buckets": -1, "max_relative_positions": 16}),
    ("deberta-v2", {"relative_attention": False, "pos_att_type": None, "type_vocab_size": 1}),
    ("distilbert", {"sinusoidal_pos_embds": True}),
    ("modernbert", {"global_attn_every_n_layers": 2}),
    ("mpnet", {"pad_token_id": 0}),
]


def plain(folder: Path) -> Any:
    """The encoder by transformers alone, eager."""
    return AutoModel.from_pretrained(folder, attn_implementation="eager").eval()


def eager(model: Any, ids: list[int], types: list[int] | None) -> Maps:
    """The weights of one unpadded example, (layer, head, query, key)."""
    kinds = {} if types is None else {"token_type_ids": torch.tensor([types])}
    with torch.no_grad():
        layers = model(torch.tensor([ids]), output_attentions=True, **kinds).attentions
    return np.concatenate([layer.numpy() for layer in layers])


def filled(layout: Layout, texts: list[list[int]]) -> tuple[list[int], list[int]]:
    """Ids and types of one example, written out by hand."""
    first, *rest = texts
    ids, types = [*layout.before, *first], [0] * (len(layout.before) + len(first))
    for second in rest:
        types += [0] * len(layout.between) + [layout.types[1]] * len(second)
        ids += [*layout.between, *second]
    types += [layout.types[1] if rest else 0] * len(layout.after)
    return [*ids, *layout.after], types


def examples(folder: Path) -> list[tuple[list[int], list[int]]]:
    """Sentences and pairs of several lengths, one of them short and one longer than a window."""
    pieces = WordPieces(folder)
    split = pieces.split(sample_words()[:400])

    def text(start: int, length: int) -> list[int]:
        return [piece for word in split[start:] for piece in word][:length]

    return [
        filled(pieces.single, [text(0, 30)]),
        filled(pieces.single, [text(50, 2)]),
        filled(pieces.pair, [text(100, 9), text(150, 16)]),
        filled(pieces.single, [text(200, 55)]),
        filled(pieces.pair, [text(250, 1), text(300, 5)]),
    ]


def assert_equals_eager(folder: Path, typed: bool) -> None:
    encoder, model, cases = load(folder), plain(folder), examples(folder)
    together = batch(encoder, [ids for ids, _ in cases], [types for _, types in cases])
    for (ids, types), padded in zip(cases, together, strict=True):
        length = len(ids)
        expected = eager(model, ids, types if typed else None)
        alone = batch(encoder, [ids], [types])[0]
        assert alone.shape == (encoder.layers, encoder.heads, length, length)
        np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(padded[..., :length, :length], expected, rtol=0, atol=5e-6)
        assert not padded[..., :length, length:].any()
        rows = padded[..., :length, :].astype(np.float64).sum(-1)
        np.testing.assert_allclose(rows, 1, rtol=0, atol=1e-6)
    assert np.isfinite(together).all()


def test_every_family_has_a_tiny_checkpoint() -> None:
    assert set(FAMILIES) == set(families.FAMILIES)


def test_attention_is_that_of_single_examples_by_eager(family: str, tiny: Path) -> None:
    assert_equals_eager(tiny, family in TYPED)


@pytest.mark.parametrize(("family", "values"), VARIANTS)
def test_variants_too(family: str, values: dict[str, Any], tmp_path: Path) -> None:
    folder = tiny_checkpoint(family, tmp_path, seed=3, **values)
    assert_equals_eager(folder, family in TYPED or values.get("type_vocab_size") == 2)


def test_heads_and_examples_differ(tiny: Path) -> None:
    """Else nothing here could fail: maps of one head or example would pass for another's."""
    encoder, cases = load(tiny), examples(tiny)
    maps = batch(encoder, [cases[0][0]])[0]
    flat = maps.reshape(-1, *maps.shape[2:])
    for one in range(len(flat)):
        for other in range(one):
            assert np.abs(flat[one] - flat[other]).max() > 0.01


@pytest.mark.parametrize("family", TYPED)
def test_the_types_of_a_pair_count(tiny: Path) -> None:
    encoder, (ids, types) = load(tiny), examples(tiny)[2]
    assert set(types) == {0, 1}
    assert np.abs(batch(encoder, [ids], [types]) - batch(encoder, [ids])).max() > 0.001


@pytest.mark.parametrize("family", ["modernbert"])
def test_local_layers_look_no_further_than_their_window(tiny: Path) -> None:
    encoder, (ids, _), other = load(tiny), examples(tiny)[0], examples(tiny)[3][0]
    kinds = encoder.config.layer_types
    assert kinds == ["full_attention", *["sliding_attention"] * 2, "full_attention"]
    maps = batch(encoder, [ids, other])[0][..., : len(ids), : len(ids)]
    positions = np.arange(len(ids))
    far = np.abs(positions[:, None] - positions) > WINDOW // 2
    for layer, kind in zip(maps, kinds, strict=True):
        assert layer[:, ~far].all()
        assert layer[:, far].any() == (kind == "full_attention")


@pytest.mark.parametrize("family", ["albert"])
def test_albert_has_one_set_of_weights_and_a_map_for_each_pass(tiny: Path) -> None:
    encoder = load(tiny)
    model: Any = encoder._model
    assert len(model.encoder.albert_layer_groups) == 1
    assert encoder.layers == 3


# The longest input


def longest(folder: Path) -> int:
    return longest_input(read_config(locate(ModelConfig(path=str(folder)), 0)))


def test_the_longest_input(family: str, tiny: Path) -> None:
    taken = 2 if family in AFTER_PADDING else 0
    assert longest(tiny) == SIZE["max_position_embeddings"] - taken


def test_an_example_of_the_longest_input_runs_and_one_more_piece_is_refused(
    family: str, tiny: Path
) -> None:
    encoder, model, most = load(tiny), plain(tiny), longest(tiny)
    ids = [11 + number % 500 for number in range(most)]
    np.testing.assert_allclose(batch(encoder, [ids])[0], eager(model, ids, None), rtol=0, atol=1e-6)
    with pytest.raises(InputError, match=f"{most + 1} pieces, the model takes {most}"):
        batch(encoder, [[*ids, 11]])
    if family not in ENDLESS:
        with pytest.raises((IndexError, RuntimeError)):
            eager(model, [*ids, 11], None)


def test_a_piece_that_the_model_does_not_know_is_refused(tiny: Path) -> None:
    encoder = load(tiny)
    size = encoder.config.vocab_size
    batch(encoder, [[size - 1]])
    with pytest.raises(InputError, match=f"piece {size}, but the model has {size}"):
        batch(encoder, [[11, size]])


def test_mpnet_counts_positions_from_1_whatever_its_configuration_says(tmp_path: Path) -> None:
    folder = tiny_checkpoint("mpnet", tmp_path, pad_token_id=0)
    assert longest(folder) == SIZE["max_position_embeddings"] - 2
    batch(load(folder), [[11] * longest(folder)])
