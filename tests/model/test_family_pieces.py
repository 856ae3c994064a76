"""Words and their pieces in every kind of tokenizer: aligned, ordinary text, special tokens."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.pieces import TokenRole, WordPieces
from attnray.model.source import locate
from tests.builders.families import sample_words
from tests.builders.segmented import role_of

BYTE_LEVEL = ("modernbert", "roberta")
WORD_PIECE = ("bert", "distilbert", "electra", "mpnet")
UNIGRAM = ("albert", "camembert", "deberta-v2", "xlm-roberta")
FAIRSEQ = ("camembert", "mpnet", "roberta", "xlm-roberta")
NO_TYPES = ("camembert", "distilbert", "modernbert", "mpnet", "roberta", "xlm-roberta")

#: Bytes inside a character, accents, ligatures, joined emoji, many scripts, and much punctuation.
HARD = ["naïve", "Café", "北京", "😀", "👩‍👩‍👧", "ﬁ½", "Ünïcödé", "e\u0301", "…", "“x”", "don't"]
HARD += [
    "3.14",
    "...",
    "U.S.",
    "-",
    "__",
    "ßtraße",
    "שלום",
    "हिन्दी",
    "x" * 40,
    "ÀÉ,",
    "Ġ",
    "##a",
]


@pytest.fixture
def pieces(tiny: Path) -> WordPieces:
    return WordPieces(tiny)


def by_offsets(folder: Path, words: list[str]) -> list[list[int]]:
    """The pieces of words in running text, each given to the word its characters stand in."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text, ends = "", []
    for word in words:
        text += f" {word}"
        ends.append(len(text))
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    found: list[list[int]] = [[] for _ in words]
    pairs = zip(encoding["input_ids"], encoding["offset_mapping"], strict=True)
    for piece, (start, _) in pairs:
        # The space before a word is the word's: it begins where the one before it ends.
        found[next(number for number, end in enumerate(ends) if start < end)].append(piece)
    return found


def test_a_word_has_the_same_pieces_whatever_stands_around_it(pieces: WordPieces) -> None:
    def by_themselves(words: list[str]) -> list[list[int]]:
        return [pieces._encoded([word])[0] for word in words]

    @given(st.lists(st.text(max_size=6) | st.sampled_from(HARD), max_size=8))
    def check(words: list[str]) -> None:
        assert pieces._encoded(words) == by_themselves(words)
        assert pieces.split(words) == by_themselves(words)

    check()
    for words in (sample_words()[:500], sample_words()[499::-1], [*HARD, *HARD[::-1]]):
        assert pieces._encoded(words) == by_themselves(words)


@pytest.mark.parametrize("words", [sample_words()[:300], HARD, HARD[::-1]], ids=["en", "x", "y"])
def test_words_have_the_pieces_that_running_text_gives_them(
    tiny: Path, pieces: WordPieces, words: list[str]
) -> None:
    assert pieces.split(words) == by_offsets(tiny, words)
    assert all(pieces.split(words))


@pytest.mark.parametrize("family", ["roberta", "camembert", "xlm-roberta", "albert"])
def test_given_words_have_the_pieces_that_the_familys_own_tokenizer_gives_them(
    tiny: Path, pieces: WordPieces
) -> None:
    words = [*sample_words()[:200], *HARD]
    tokenizer = AutoTokenizer.from_pretrained(tiny, add_prefix_space=True)
    plain = tokenizer(words, is_split_into_words=True, add_special_tokens=False)
    found: list[list[int]] = [[] for _ in words]
    for word, piece in zip(plain.word_ids(), plain["input_ids"], strict=True):
        found[word].append(piece)
    assert pieces.split(words) == found


@pytest.mark.parametrize("family", BYTE_LEVEL)
def test_every_word_has_the_space_before_it_the_first_too(pieces: WordPieces) -> None:
    spelled = [[pieces.spelling(piece) for piece in word] for word in pieces.split(["the", "the"])]
    assert spelled == [["Ġthe"], ["Ġthe"]]


@pytest.mark.parametrize("family", BYTE_LEVEL)
@pytest.mark.parametrize(("word", "least"), [("😀", 4), ("北", 3), ("é", 2)])
def test_the_bytes_of_a_character_are_pieces_of_its_word(
    pieces: WordPieces, word: str, least: int
) -> None:
    before, inside, after = pieces.split(["the", word, "of"])
    assert len(inside) >= least
    assert (before, after) == (pieces.split(["the"])[0], pieces.split(["of"])[0])


@pytest.mark.parametrize("family", UNIGRAM)
def test_a_word_marker_of_its_own_is_a_piece_of_its_word(pieces: WordPieces) -> None:
    word = pieces.split(["the", "😀"])[1]
    assert pieces.spelling(word[0]) == "▁"
    assert len(word) == 2


@pytest.mark.parametrize("family", [*WORD_PIECE, "albert"])
def test_accents_and_case_are_taken_off(pieces: WordPieces) -> None:
    assert pieces.split(["Náïve", "e\u0301"]) == pieces.split(["naive", "e"])


def test_an_empty_word_has_no_piece_and_shifts_no_other(pieces: WordPieces) -> None:
    the, of = pieces.split(["the", "of"])
    assert pieces.split(["", "the", "", "", "of", ""]) == [[], the, [], [], of, []]


@pytest.mark.parametrize("family", WORD_PIECE)
@pytest.mark.parametrize("dropped", ["\u200b", "\x07", "\ufeff", "\u0301"])
def test_a_dropped_word_has_no_piece(pieces: WordPieces, dropped: str) -> None:
    the, of = pieces.split(["the", "of"])
    assert pieces.split(["the", dropped, "of"]) == [the, [], of]


@pytest.mark.parametrize("family", ["camembert", "xlm-roberta"])
def test_a_word_that_normalisation_drops_has_no_piece(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "copy"))
    pieces = WordPieces(folder)
    pieces._tokenizer.normalizer = normalizers.Replace("\u200b", "")
    the, of = pieces.split(["the", "of"])
    assert pieces.split(["the", "\u200b", "of"]) == [the, [], of]


def test_words_that_read_as_special_tokens_are_ordinary_text(
    tiny: Path, pieces: WordPieces
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    (the,) = pieces.split(["the"])
    tokens = {*tokenizer.all_special_tokens, "<s>", "</s>", "<pad>", "[CLS]", "[SEP]", "[MASK]"}
    for token in sorted(tokens):
        for word in (token, f"x{token}", f"{token}{token}y", token.lower(), f" {token}"):
            before, inside, after = pieces.split(["the", word, "the"])
            assert before == after == the
            assert inside
            assert not special & set(inside)
            assert len(inside) > 1


def test_special_tokens_have_their_ids_and_spellings_still(tiny: Path, pieces: WordPieces) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    for token, number in zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True):
        assert pieces.spelling(number) == token


def test_the_templates_are_those_of_the_plain_tokenizer(
    family: str, tiny: Path, pieces: WordPieces
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    first, last = ("<s>", "</s>") if family in FAIRSEQ else ("[CLS]", "[SEP]")
    cls, sep = (tokenizer.convert_tokens_to_ids(each) for each in (first, last))
    between = [sep, sep] if family in FAIRSEQ else [sep]
    assert (pieces.single.before, pieces.single.between, pieces.single.after) == ([cls], [], [sep])
    assert (pieces.pair.before, pieces.pair.between, pieces.pair.after) == ([cls], between, [sep])
    one, two = ([p for word in pieces.split(text) for p in word] for text in (["the"], ["of", "a"]))
    plain = tokenizer(" the", " of a")
    assert plain["input_ids"] == [cls, *one, *between, *two, sep]
    if "token_type_ids" in plain and family not in NO_TYPES:
        split = 1 + len(one) + len(between)
        kinds = [pieces.pair.types[0]] * split + [pieces.pair.types[1]] * (len(two) + 1)
        assert plain["token_type_ids"] == kinds == [0] * split + [1] * (len(two) + 1)


def test_roles(family: str, tiny: Path, pieces: WordPieces) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    roles = [
        role_of(pieces, piece, special=True) for piece in pieces.pair.before + pieces.pair.after
    ]
    assert roles == [TokenRole.CLS, TokenRole.SEP]
    assert {role_of(pieces, piece, special=True) for piece in pieces.pair.between} == {
        TokenRole.SEP
    }
    assert role_of(pieces, tokenizer.mask_token_id, special=True) is TokenRole.SPECIAL
    words = [".", ",", "the", "!", "a."]
    found = [{role_of(pieces, piece) for piece in word} for word in pieces.split(words)]
    assert all(TokenRole.PUNCTUATION in roles for roles in found[:2])
    assert found[2:4] == [{TokenRole.ORDINARY}] * 2
    expected = {".", ","} | {f"{'Ġ' if family in BYTE_LEVEL else '▁'}{mark}" for mark in ".,"}
    assert {pieces.spelling(piece) for piece in pieces._punctuation} <= expected


# The files


def without(tiny: Path, folder: Path, *gone: str) -> Path:
    shutil.copytree(tiny, folder, ignore=shutil.ignore_patterns(*gone))
    return folder


def content(tiny: Path) -> Any:
    return json.loads((tiny / "tokenizer.json").read_text())


@pytest.mark.parametrize("family", ["roberta"])
def test_vocab_json_with_merges_txt_is_a_tokenizer(tiny: Path, tmp_path: Path) -> None:
    folder = without(tiny, tmp_path / "copy", "tokenizer.json")
    model = content(tiny)["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    with pytest.raises(InputError, match=r"vocab\.json with merges\.txt"):
        locate(ModelConfig(path=str(folder)), 0)
    merges = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]
    (folder / "merges.txt").write_text("\n".join(merges))
    assert {"vocab.json", "merges.txt"} <= locate(ModelConfig(path=str(folder)), 0).files.keys()
    words = [*sample_words()[:200], *HARD]
    assert WordPieces(folder).split(words) == WordPieces(tiny).split(words)


@pytest.mark.parametrize("family", WORD_PIECE)
def test_vocab_txt_is_a_tokenizer(tiny: Path, tmp_path: Path) -> None:
    folder = without(tiny, tmp_path / "copy", "tokenizer.json")
    vocabulary = content(tiny)["model"]["vocab"]
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)))
    words = [*sample_words()[:200], *HARD]
    assert WordPieces(folder).split(words) == WordPieces(tiny).split(words)


@pytest.mark.parametrize("family", ["albert", "deberta-v2", "roberta", "xlm-roberta"])
def test_files_of_another_kind_of_tokenizer_are_refused(tiny: Path, tmp_path: Path) -> None:
    folder = without(tiny, tmp_path / "copy", "tokenizer.json")
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\nthe\n")
    with pytest.raises(InputError, match="cannot be made of these files"):
        WordPieces(folder)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("albert", "spiece.model"),
        ("camembert", "sentencepiece.bpe.model"),
        ("deberta-v2", "spm.model"),
        ("xlm-roberta", "sentencepiece.bpe.model"),
    ],
)
def test_a_sentencepiece_file_alone_needs_a_package_that_is_named(
    tiny: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python's own mark of a module that cannot be had: the package may be installed here.
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    folder = without(tiny, tmp_path / "copy", "tokenizer.json")
    (folder / name).write_bytes(b"whatever")
    assert name in locate(ModelConfig(path=str(folder)), 0).files
    with pytest.raises(InputError, match=f"{name}: .*pip install sentencepiece protobuf"):
        WordPieces(folder)
    shutil.copy(tiny / "tokenizer.json", folder)
    assert WordPieces(folder).split(["the"]) == WordPieces(tiny).split(["the"])


@pytest.mark.parametrize("family", ["modernbert"])
def test_a_tokenizer_that_adds_no_special_tokens_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = without(tiny, tmp_path / "copy", "tokenizer.json")
    (folder / "tokenizer.json").write_text(json.dumps({**content(tiny), "post_processor": None}))
    with pytest.raises(InputError, match="no special token before a text"):
        WordPieces(folder)


@pytest.mark.parametrize("family", ["modernbert"])
def test_bos_and_eos_stand_in_for_cls_and_sep(tiny: Path, tmp_path: Path) -> None:
    folder = without(tiny, tmp_path / "copy", "tokenizer*.json")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(tiny / "tokenizer.json")),
        bos_token="[CLS]",
        eos_token="[SEP]",
    )
    tokenizer.save_pretrained(folder)
    pieces = WordPieces(folder)
    ids = [*pieces.pair.before, *pieces.pair.between, *pieces.pair.after]
    roles = [role_of(pieces, piece, special=True) for piece in ids]
    assert roles == [TokenRole.CLS, TokenRole.SEP, TokenRole.SEP]


def test_whole_words_in_a_word_piece_vocabulary_cannot_be_special(tmp_path: Path) -> None:
    """Of a tokenizer that splits at spaces alone, `[MASK]` would be a piece."""
    from tokenizers import pre_tokenizers, processors

    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5, "[": 6}
    tokenizer = Tokenizer(models.WordPiece({**vocabulary, "##M": 7}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, mask_token="[MASK]", **special)
    fast.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "modernbert"}))
    assert WordPieces(tmp_path).split(["a", "[MASK]", "[M", "[UNK]"]) == [[5], [1], [6, 7], [1]]
