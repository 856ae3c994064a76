"""Every family: its attention is that of eager runs, its words align, its tokens are found."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.encoder import Encoder, longest_input, read_config
from attnray.model.masked_lm import MaskedLM, has_head
from attnray.model.pieces import Role, WordPieces
from attnray.model.source import locate
from tests.model.families import FAMILIES, tiny_checkpoint, words

Maps = np.ndarray
ON_BYTES = ("roberta", "modernbert")
ON_LETTERS = ("bert", "distilbert", "electra", "mpnet")
#: What float32 sums of another shape of batch move a weight by.
SHAPE_NOISE = 3e-6
ODD = ["The", "café", "didn't", "😀", ".", "naïve", "日本語", "e\u0301t\u00e9", "▁", "Ġ", "x" * 30]
READ_LIKE_SPECIAL = ["<s>", "</s>", "<pad>", "[CLS]", "[SEP]", "[PAD]", "a[SEP]b", "x</s>"]


class Checkpoint:
    """A tiny checkpoint of a family, its encoder, and sentences of the sample in its pieces."""

    def __init__(self, family: str, folder: Path) -> None:
        self.family = family
        self.folder = tiny_checkpoint(family, folder)
        self.encoder = Encoder(locate(ModelConfig(path=str(folder)), 0), "cpu")
        self.pieces = WordPieces(folder)
        self.longest = longest_input(read_config(locate(ModelConfig(path=str(folder)), 0)))
        whole = [self.example(sentence[:14]) for sentence in words()[:40]]
        self.examples = sorted((e for e in whole if len(e) <= self.longest), key=len)[::6]

    def example(self, sentence: Sequence[str]) -> list[int]:
        """The ids of a sentence between the special tokens."""
        split = [piece for word in self.pieces.split(list(sentence)) for piece in word]
        return [*self.pieces.single.before, *split, *self.pieces.single.after]


@pytest.fixture(scope="module", params=list(FAMILIES))
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return Checkpoint(request.param, tmp_path_factory.mktemp("families") / request.param)


def attention(encoder: Encoder, examples: Sequence[Sequence[int]], second: int = 0) -> Maps:
    """One batch by the encoder, (example, layer, head, query, key); `second` text begins there."""
    layers: list[Maps] = []
    types = [(np.arange(len(ids)) >= (second or len(ids))).astype(np.int64) for ids in examples]
    encoder.attention(
        [np.array(ids) for ids in examples], types, lambda _, w: layers.append(w.numpy().copy())
    )
    return np.stack(layers, axis=1)


def eager(folder: Path, ids: Sequence[int], **inputs: Any) -> Maps:
    """One unpadded example by the library's own eager implementation."""
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        output = model(torch.tensor([ids]), output_attentions=True, **inputs)
    return torch.cat(output.attentions).numpy()


def test_batches_equal_eager_runs_on_single_examples(checkpoint: Checkpoint) -> None:
    assert len({len(ids) for ids in checkpoint.examples}) > 3
    together = attention(checkpoint.encoder, checkpoint.examples)
    for ids, maps in zip(checkpoint.examples, together, strict=True):
        expected = eager(checkpoint.folder, ids)
        assert expected.shape[:2] == (3, 4)
        corner = maps[:, :, : len(ids), : len(ids)]
        np.testing.assert_allclose(corner, expected, rtol=0, atol=SHAPE_NOISE)
        assert not maps[:, :, : len(ids), len(ids) :].any(), "padding takes attention"
        np.testing.assert_allclose(corner.sum(-1), 1, rtol=0, atol=1e-5)


def test_heads_differ_and_so_do_layers(checkpoint: Checkpoint) -> None:
    maps = attention(checkpoint.encoder, checkpoint.examples[-1:])[0]
    flat = maps.reshape(12, -1)
    assert min(np.abs(a - b).max() for n, a in enumerate(flat) for b in flat[:n]) > 1e-3


def test_local_layers_keep_their_window(tmp_path: Path) -> None:
    local = Checkpoint("modernbert", tmp_path / "model")
    maps = attention(local.encoder, local.examples[-1:])[0]
    length = maps.shape[-1]
    far = np.abs(np.arange(length)[:, None] - np.arange(length)) > 4
    assert length > 12
    assert [bool(layer[:, far].any()) for layer in maps] == [True, False, False]


def test_a_pair_is_what_the_tokenizer_makes_of_two_texts(checkpoint: Checkpoint) -> None:
    layout = checkpoint.pieces.pair
    first, second = (
        [piece for word in checkpoint.pieces.split(text) for piece in word]
        for text in (["The", "cat", "sat"], ["It", "slept", "."])
    )
    ours = [*layout.before, *first, *layout.between, *second, *layout.after]
    # Bytes need the space that every given word has before it.
    space = " " if checkpoint.family in ON_BYTES else ""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder)
    theirs = tokenizer(f"{space}The cat sat", f"{space}It slept .")
    assert ours == theirs["input_ids"]
    roles = [checkpoint.pieces.role_of_special(piece) for piece in layout.before + layout.between]
    assert roles == [Role.CLS, *[Role.SEP] * len(layout.between)]
    assert [checkpoint.pieces.role_of_special(piece) for piece in layout.after] == [Role.SEP]


def test_the_types_of_a_pair_reach_the_models_that_have_them(checkpoint: Checkpoint) -> None:
    ids = checkpoint.examples[-1]
    half = len(ids) // 2
    told, untold = (attention(checkpoint.encoder, [ids], second) for second in (half, 0))
    typed = bool((told != untold).any())
    assert typed == (checkpoint.family in ("bert", "electra", "albert"))
    if typed:
        kinds = torch.tensor([[int(place >= half) for place in range(len(ids))]])
        np.testing.assert_allclose(
            told[0],
            eager(checkpoint.folder, ids, token_type_ids=kinds),
            rtol=0,
            atol=SHAPE_NOISE,
        )


def test_words_have_the_pieces_they_have_alone(checkpoint: Checkpoint) -> None:
    """No piece crosses a word, and none depends on where its word stands."""
    sentences = [*words()[:20], ODD]
    for sentence in sentences:
        split = checkpoint.pieces.split(sentence)
        assert split == [checkpoint.pieces.split([word])[0] for word in sentence]
        assert all(split)


def test_pieces_spell_their_word(checkpoint: Checkpoint) -> None:
    """Decoded by the family's own rules, the pieces of a known word are that word."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder)
    unknown = tokenizer.unk_token_id
    uncased = checkpoint.pieces.split(["The"]) == checkpoint.pieces.split(["the"])
    checked = 0
    for word in {word for sentence in words()[:60] for word in sentence if word.isalpha()}:
        ids = checkpoint.pieces.split([word])[0]
        if unknown not in ids:
            spelled = tokenizer.decode(ids).replace(" ", "")
            assert spelled == (_plain(word) if uncased else word)
            checked += 1
    assert checked > 200


def _plain(word: str) -> str:
    """A word without case and accents."""
    apart = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")


def test_the_bytes_of_a_character_belong_to_its_word(checkpoint: Checkpoint) -> None:
    (pieces,) = checkpoint.pieces.split(["日本"])
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder)
    on_bytes = checkpoint.family in ON_BYTES
    assert (len(pieces) > 2) == on_bytes
    assert (tokenizer.decode(pieces) == " 日本") == on_bytes


def test_words_that_a_tokenizer_drops_have_no_piece(checkpoint: Checkpoint) -> None:
    dropping = checkpoint.family in ON_LETTERS
    split = checkpoint.pieces.split(["one", "\u200b\ufeff", "two"])
    assert len(split) == 3
    assert bool(split[1]) != dropping
    assert split[2] == checkpoint.pieces.split(["two"])[0]


def test_a_word_that_reads_like_a_special_token_is_text(checkpoint: Checkpoint) -> None:
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder)
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    for word, ids in zip(
        READ_LIKE_SPECIAL, checkpoint.pieces.split(READ_LIKE_SPECIAL), strict=True
    ):
        assert ids, word
        assert not special & set(ids), word


def test_punctuation_is_found(checkpoint: Checkpoint) -> None:
    for mark in (".", ","):
        (ids,) = checkpoint.pieces.split([mark])
        assert checkpoint.pieces.role_of_piece(ids[-1]) == Role.PUNCTUATION
    (ids,) = checkpoint.pieces.split(["the"])
    assert checkpoint.pieces.role_of_piece(ids[-1]) == Role.ORDINARY


def test_the_longest_input_runs_and_one_more_piece_does_not(checkpoint: Checkpoint) -> None:
    inside = checkpoint.examples[0][1]
    ids = [checkpoint.examples[0][0], *[inside] * (checkpoint.longest - 1)]
    assert checkpoint.longest == 64
    assert np.isfinite(attention(checkpoint.encoder, [ids])).all()
    with pytest.raises(InputError, match="65 pieces, the model takes 64"):
        attention(checkpoint.encoder, [[*ids, inside]])


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_checkpoint_with_a_head_is_an_encoder_too(family: str, tmp_path: Path) -> None:
    folder = tiny_checkpoint(family, tmp_path / "lm", head=True)
    encoder = Encoder(locate(ModelConfig(path=str(folder)), 0), "cpu")
    model = AutoModelForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    ids = [5, 9, 14, 7, 21, 8]
    with torch.no_grad():
        output = model(torch.tensor([ids]), output_attentions=True)
    ours = attention(encoder, [ids])[0]
    np.testing.assert_allclose(ours, torch.cat(output.attentions).numpy(), rtol=0, atol=SHAPE_NOISE)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_only_a_checkpoint_with_the_head_has_one(family: str, tmp_path: Path) -> None:
    with_head = locate(ModelConfig(path=str(tiny_checkpoint(family, tmp_path / "a", head=True))), 0)
    without = locate(ModelConfig(path=str(tiny_checkpoint(family, tmp_path / "b"))), 0)
    assert has_head(with_head)
    assert not has_head(without)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_gradients_are_those_of_single_eager_runs(family: str, tmp_path: Path) -> None:
    """Of a padded batch, held against single examples in the library's own graph."""
    folder = tiny_checkpoint(family, tmp_path / "lm", head=True)
    lm = MaskedLM(locate(ModelConfig(path=str(folder)), 0), "cpu")
    short, long = [5, 9, 14, 7], [5, 9, 14, 7, 21, 8, 33]
    batch = lm.gradients([np.array(short), np.array(long)], [np.zeros(4, int), np.zeros(7, int)])
    for row, ids in enumerate((short, long)):
        for layer, expected in zip(batch, _gradients(folder, ids), strict=True):
            np.testing.assert_allclose(
                layer[row, :, : len(ids), : len(ids)], expected[0], rtol=1e-3, atol=1e-4
            )


def _gradients(folder: Path, ids: list[int]) -> list[np.ndarray]:
    """The gradients of one unpadded example by the eager implementation, in its own graph."""
    model = AutoModelForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    output = model(torch.tensor([ids]), output_attentions=True)
    loss = torch.nn.functional.cross_entropy(output.logits[0], torch.tensor(ids), reduction="sum")
    return [g.numpy() for g in torch.autograd.grad(loss, output.attentions)]


def test_an_electra_discriminator_has_no_masked_lm_head(tmp_path: Path) -> None:
    from transformers import AutoConfig, ElectraForPreTraining

    folder = tiny_checkpoint("electra", tmp_path / "discriminator")
    ElectraForPreTraining(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    assert not has_head(locate(ModelConfig(path=str(folder)), 0))
    assert not has_head(locate(ModelConfig(path=str(folder), random_init=True), 0))


@pytest.mark.parametrize("family", ["roberta", "deberta-v2", "modernbert"])
def test_missing_weights_are_refused_unless_new_ones_are_drawn(family: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_checkpoint(family, tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    lost = next(name for name in sorted(weights) if "layer" in name and "weight" in name)
    del weights[lost]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"1 weights are missing .*random_init"):
        Encoder(locate(ModelConfig(path=str(folder)), 0), "cpu")
    Encoder(locate(ModelConfig(path=str(folder), random_init=True), 0), "cpu")
