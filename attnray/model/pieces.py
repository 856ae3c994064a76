"""Words to word pieces, and the special tokens around them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from attnray.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

#: What tokenizers put before or after a piece to mark the edge of a word.
WORD_MARKERS = "▁Ġ"
PUNCTUATION = (".", ",")


class Role(IntEnum):
    """What a token is to the pattern metrics."""

    ORDINARY = 0
    CLS = 1
    SEP = 2
    SPECIAL = 3
    PUNCTUATION = 4


@dataclass(frozen=True)
class Layout:
    """The special tokens of a template: ids before, between and after the texts."""

    before: list[int]
    between: list[int]
    after: list[int]
    types: tuple[int, int]

    @property
    def special(self) -> int:
        """How many special tokens the template adds."""
        return len(self.before) + len(self.between) + len(self.after)


class WordPieces:
    """A checkpoint's fast tokenizer, on given words.

    Words are encoded as ordinary text: one that reads `[SEP]` is not a special token.
    `single` and `pair` are the templates of one text and of two.
    """

    def __init__(self, folder: Path) -> None:
        self._tokenizer, self._cls, self._sep, self._special = _load(folder)
        self.single = self._layout("a")
        self.pair = self._layout("a", "a")
        self._punctuation = self._ids_of(PUNCTUATION)

    def split(self, words: list[str]) -> list[list[int]]:
        """The ids of each word's pieces; none for a word the tokenizer drops."""
        encoding = self._tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
        pieces: list[list[int]] = [[] for _ in words]
        for word, piece in zip(encoding.word_ids, encoding.ids, strict=True):
            assert word is not None  # no special token was asked for
            pieces[word].append(piece)
        for word, ids in enumerate(pieces):
            if not self._special.keys().isdisjoint(ids):
                pieces[word] = self._as_text(words[word])
        return pieces

    def _as_text(self, word: str) -> list[int]:
        """The pieces of a word in which a vocabulary of pieces finds a special token.

        (SentencePiece has special tokens among its pieces: each is cut behind its first letter.)
        """
        backend = self._tokenizer
        text = backend.normalizer.normalize_str(word) if backend.normalizer else word
        for token in self._special.values():
            text = text.replace(token, f"{token[0]}\0{token[1:]}")
        parts = f"{WORD_MARKERS[0]}{text}".split("\0")
        return [piece.id for part in parts for piece in backend.model.tokenize(part)]

    def spelling(self, piece: int) -> str:
        """A piece as it stands in the vocabulary."""
        return str(self._tokenizer.id_to_token(piece))

    def role_of_special(self, piece: int) -> Role:
        """Which special token of the template an id is."""
        return {self._cls: Role.CLS, self._sep: Role.SEP}.get(piece, Role.SPECIAL)

    def role_of_piece(self, piece: int) -> Role:
        """Whether a piece of a word is one of the punctuation tokens."""
        return Role.PUNCTUATION if piece in self._punctuation else Role.ORDINARY

    def _ids_of(self, tokens: tuple[str, ...]) -> frozenset[int]:
        spellings = [marker + token for token in tokens for marker in ("", *WORD_MARKERS)]
        found = (self._tokenizer.token_to_id(spelling) for spelling in spellings)
        return frozenset(piece for piece in found if piece is not None)

    def _layout(self, text: str, pair: str | None = None) -> Layout:
        encoding = self._tokenizer.encode(text, pair)
        first = _positions(encoding, 0)
        second = _positions(encoding, 1) or range(first.stop, first.stop)
        return Layout(
            before=encoding.ids[: first.start],
            between=encoding.ids[first.stop : second.start],
            after=encoding.ids[second.stop :],
            types=(encoding.type_ids[first.start], encoding.type_ids[second.stop - 1]),
        )


def _positions(encoding: Encoding, text: int) -> range:
    """Where the pieces of one text stand among all tokens."""
    found = [i for i, sequence in enumerate(encoding.sequence_ids) if sequence == text]
    return range(found[0], found[-1] + 1) if found else range(0)


def _load(folder: Path) -> tuple[Tokenizer, int | None, int | None, dict[int, str]]:
    """The tokenizer, its first and separator tokens, and the special tokens no text stands for."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, local_files_only=True)
        backend: Tokenizer = tokenizer.backend_tokenizer
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error).split("\n", 1)[0]
        raise InputError(f"{folder}: no fast tokenizer can be loaded ({reason})") from error
    backend = _with_spaces(backend)
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    first, separator = tokenizer.cls_token_id, tokenizer.sep_token_id
    return (
        backend,
        tokenizer.bos_token_id if first is None else first,
        tokenizer.eos_token_id if separator is None else separator,
        {
            piece: token
            for piece, token in zip(
                tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True
            )
            if piece != tokenizer.unk_token_id
        },
    )


def _with_spaces(backend: Tokenizer) -> Tokenizer:
    """The tokenizer with a space before every given word, as words have in running text.

    Tokenizers on bytes, and those that mark spaces, would take all words but the first for
    the middle of one.
    """
    from tokenizers import Tokenizer

    content = json.loads(backend.to_str())
    steps = content["pre_tokenizer"] or {}
    for step in steps.get("pretokenizers", [steps]):
        if step.get("type") == "ByteLevel":
            step["add_prefix_space"] = True
        elif step.get("type") == "Metaspace":
            step["prepend_scheme"] = "always"
    return Tokenizer.from_str(json.dumps(content))
