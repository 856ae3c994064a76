"""Words to pieces: dropped words, words that look special, and the templates."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model import pieces as pieces_module
from attnray.model.pieces import TokenRole, WordPieces
from attnray.model.source import locate
from tests.builders.segmented import role_of

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module", params=["tiny_model", "minilm"])
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def pieces(folder: Path) -> WordPieces:
    return WordPieces(folder)


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> WordPieces:
    return WordPieces(tiny_model)


def spell(pieces: WordPieces, words: list[str]) -> list[list[str]]:
    return [[pieces.spelling(piece) for piece in word] for word in pieces.split(words)]


@pytest.mark.parametrize("word", ["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]"])
def test_words_that_read_as_special_tokens_are_ordinary_text(pieces: WordPieces, word: str) -> None:
    before, literal, after = spell(pieces, ["the", word, "a"])
    assert (before, after) == (["the"], ["a"])
    assert (literal[0], literal[-1].removeprefix("##")) == ("[", "]")
    assert "".join(piece.removeprefix("##") for piece in literal) == word.lower()
    assert not set(literal) & set(SPECIAL)


def test_a_special_token_inside_a_word_is_ordinary_text(pieces: WordPieces) -> None:
    assert not set(spell(pieces, ["the[SEP]of"])[0]) & set(SPECIAL)


@pytest.mark.parametrize("dropped", ["\u200b", "\x07", "\u200b\u200d", "\ufeff", " ", ""])
def test_a_word_the_tokenizer_drops_has_no_piece_and_shifts_no_other(
    pieces: WordPieces, dropped: str
) -> None:
    words = [dropped, "the", dropped, dropped, "it", ".", dropped]
    assert spell(pieces, words) == [[], ["the"], [], [], ["it"], ["."], []]


def test_no_words_have_no_pieces(pieces: WordPieces) -> None:
    assert pieces.split([]) == []


def test_a_word_with_a_space_keeps_all_its_pieces(pieces: WordPieces) -> None:
    assert spell(pieces, ["the", "of the", "a"]) == [["the"], ["of", "the"], ["a"]]


def test_words_are_split_into_known_pieces(tiny: WordPieces) -> None:
    words = ["She", "hex", "don't"]
    expected = [["she"], ["he", "##x"], ["d", "##o", "##n", "'", "t"]]
    assert spell(tiny, words) == expected


def test_templates_hold_the_special_tokens_and_types(pieces: WordPieces, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    single, pair = pieces.single, pieces.pair
    assert (single.before, single.between, single.after) == ([cls], [], [sep])
    assert (pair.before, pair.between, pair.after) == ([cls], [sep], [sep])
    assert (single.special, pair.special) == (2, 3)
    assert single.types[0] == 0
    assert pair.types == (0, 1)


SENTENCES = (
    "The cat, it seems, sat on the mat.",
    "he said: she wasn't (at 10:30) there!",
    "ÀÉ naïve café — “quoted” … 北京 ok",
    "of",
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_ids_agree_with_the_plain_tokenizer(
    pieces: WordPieces, folder: Path, sentence: str
) -> None:
    ids = [piece for word in pieces.split(sentence.split()) for piece in word]
    template = pieces.single
    plain = AutoTokenizer.from_pretrained(folder)(sentence)["input_ids"]
    assert [*template.before, *ids, *template.after] == plain


def test_ids_and_types_of_a_pair_agree_with_the_plain_tokenizer(
    pieces: WordPieces, folder: Path
) -> None:
    first, second = (
        [piece for word in pieces.split(text.split()) for piece in word] for text in SENTENCES[:2]
    )
    template = pieces.pair
    plain = AutoTokenizer.from_pretrained(folder)(*SENTENCES[:2])
    ids = [*template.before, *first, *template.between, *second, *template.after]
    assert ids == plain["input_ids"]
    head, tail = len(template.before), len(template.between) + len(template.after)
    assert tail == 2
    types = [template.types[0]] * (head + len(first) + 1) + [template.types[1]] * (len(second) + 1)
    assert types == plain["token_type_ids"]


def test_long_texts_are_not_cut(pieces: WordPieces) -> None:
    assert [len(word) for word in pieces.split(["the"] * 2000)] == [1] * 2000


def test_a_word_of_more_than_a_hundred_letters_is_unknown_as_in_the_plain_tokenizer(
    pieces: WordPieces, folder: Path
) -> None:
    word = "a" * 150
    plain = AutoTokenizer.from_pretrained(folder)(word, add_special_tokens=False)["input_ids"]
    assert pieces.split([word])[0] == plain


def test_only_full_stop_and_comma_are_punctuation(pieces: WordPieces) -> None:
    marks = list(string.punctuation)
    roles = {mark: role_of(pieces, pieces.split([mark])[0][0]) for mark in marks}
    found = {mark for mark, role in roles.items() if role is TokenRole.PUNCTUATION}
    assert found == {".", ","}
    assert set(roles.values()) == {TokenRole.PUNCTUATION, TokenRole.ORDINARY}
    assert role_of(pieces, pieces.split(["the"])[0][0]) is TokenRole.ORDINARY


def test_a_continuing_full_stop_is_not_the_full_stop(tiny: WordPieces, tiny_model: Path) -> None:
    inside = AutoTokenizer.from_pretrained(tiny_model).vocab["##."]
    assert tiny.spelling(inside) == "##."
    assert role_of(tiny, inside) is TokenRole.ORDINARY


def test_an_unknown_piece_is_not_punctuation(tiny: WordPieces) -> None:
    (unknown,) = tiny.split(["北"])[0]
    assert tiny.spelling(unknown) == "[UNK]"
    assert role_of(tiny, unknown) is TokenRole.ORDINARY


def test_roles_of_special_tokens(pieces: WordPieces, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert role_of(pieces, tokenizer.cls_token_id, special=True) is TokenRole.CLS
    assert role_of(pieces, tokenizer.sep_token_id, special=True) is TokenRole.SEP
    assert role_of(pieces, tokenizer.mask_token_id, special=True) is TokenRole.SPECIAL


def test_words_seen_before_are_forgotten_when_they_are_too_many(
    tiny_model: Path, tiny: WordPieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces_module, "REMEMBERED", 40)
    forgetful, kept = WordPieces(tiny_model), 0
    for number in range(60):
        words = [f"{number}{letter}" for letter in "abcab"] + ["the", "", "the"]
        assert forgetful.split(words) == tiny._encoded(words)
        letters = sum(map(len, forgetful._known))
        assert letters < 40 + len("".join(set(words)))
        kept += letters > len("".join(set(words)))
    assert kept > 20


def test_a_folder_without_tokenizer_files_is_an_error(tmp_path: Path, tiny_model: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((tiny_model / name).read_bytes())
    with pytest.raises(InputError, match="tokenizer"):
        locate(ModelConfig(path=str(tmp_path)), 0)


def test_a_broken_tokenizer_file_is_an_error(tmp_path: Path, tiny_model: Path) -> None:
    for file in tiny_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(InputError, match="no fast tokenizer"):
        WordPieces(tmp_path)
