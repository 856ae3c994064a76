"""Words to word pieces, and the special tokens around them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.errors import InputError
from attnray.model import casing
from attnray.model.json_file import read_object
from attnray.model.source import SENTENCEPIECE

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

#: What tokenizers put before or after a piece to mark the edge of a word.
WORD_MARKERS = "▁Ġ"
PUNCTUATION = (".", ",")
#: What `tokenizer_config.json` says of BERT's normalizer, and what it is called in its own state.
BERT_SETTINGS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
#: Ids are below this, far over those of any vocabulary: the library counts up to the highest.
MOST_PIECES = 2**24
#: How many letters of words are remembered with their pieces: about 30 MB.
REMEMBERED = 2**20


class TokenRole(IntEnum):
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

    Words are encoded as ordinary text: one that reads `[SEP]` is not a special token. Each is
    encoded by itself, so that the pieces of a word seen before are known. Where a vocabulary has
    the space before a word in its pieces, every word has one, the first too (as by
    `add_prefix_space`). `single` and `pair` are the templates of one text and of two, `unknown` is
    the id that stands for what the vocabulary lacks, and `remark` says what is odd, if anything is.

    Raises:
        InputError: no tokenizer can be made of the folder's files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokenizer = _load(folder)
        state = json.loads(self._tokenizer.to_str())
        unknown = state["model"].get("unk_token")
        if unknown and unknown not in self._tokenizer.get_vocab():
            raise InputError(
                f"{folder}: the tokenizer's unknown piece {unknown!r} is none of its own"
            )
        self._spaced = "ByteLevel" in json.dumps(state["pre_tokenizer"])
        self.unknown = _unknown(state["model"])
        self.remark = casing.mismatch(self._tokenizer)
        self._tokenizer.model = _model_of_text(state)
        with _explained(folder):
            self.single = self._layout("a")
            self.pair = self._layout("a", "a")
        if not self.single.before:
            raise InputError(f"{folder}: the tokenizer puts no special token before a text")
        self._punctuation = self._ids_of(PUNCTUATION)
        self._known: dict[str, list[int]] = {}
        self._letters = 0

    def split(self, words: list[str]) -> list[list[int]]:
        """The ids of each word's pieces, not to be changed; none for a word the tokenizer drops."""
        if self._letters > REMEMBERED:
            self._known, self._letters = {}, 0
        for new in _so_many(set(words).difference(self._known), REMEMBERED):
            self._known.update(zip(new, self._encoded(new), strict=True))
            self._letters += sum(map(len, new))
        return [self._known[word] for word in words]

    def check(self, known: int) -> None:
        """Refuse a tokenizer with pieces that the model, which knows so many, does not have.

        Raises:
            InputError: names the first of them.
        """
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=False)
        ordinary = (id_ for piece, id_ in vocabulary.items() if not piece.startswith(" "))
        special = (*self.pair.before, *self.pair.between, *self.pair.after)
        most = max((*ordinary, *special))
        if most >= known:
            raise InputError(
                f"{self._folder}: the tokenizer has the piece {self.spelling(most)!r} as {most}, "
                f"but vocab_size in config.json is {known}: give a checkpoint with a tokenizer of "
                "its own"
            )

    def _encoded(self, words: list[str]) -> list[list[int]]:
        texts = [_after_space(word) for word in words] if self._spaced else words
        with _explained(self._folder):
            encoding = self._tokenizer.encode(texts, is_pretokenized=True, add_special_tokens=False)
        pieces: list[list[int]] = [[] for _ in words]
        for word, piece in zip(encoding.word_ids, encoding.ids, strict=True):
            assert word is not None  # no special token was asked for
            pieces[word].append(piece)
        return pieces

    def spelling(self, piece: int) -> str:
        """A piece as it stands in the vocabulary."""
        return str(self._tokenizer.id_to_token(piece))

    def spelled(self, pieces: NDArray[np.integer]) -> pa.Array:
        """Pieces as they stand in the vocabulary."""
        return self._spellings.take(pa.array(pieces))

    def roles(self, pieces: NDArray[np.integer], special: NDArray[np.bool]) -> NDArray[np.int8]:
        """What each token is, those of the template and those that are pieces of words."""
        roles: NDArray[np.int8] = self._roles_of_pieces[pieces]
        roles[special] = self._roles_of_special[pieces[special]]
        return roles

    @cached_property
    def _spellings(self) -> pa.Array:
        return pa.array(map(self.spelling, range(self._size)), pa.string())

    @cached_property
    def _roles_of_special(self) -> NDArray[np.int8]:
        roles = np.full(self._size, TokenRole.SPECIAL, np.int8)
        roles[self.single.after[-1:]] = TokenRole.SEP
        roles[self.single.before[:1]] = TokenRole.CLS
        return roles

    @cached_property
    def _roles_of_pieces(self) -> NDArray[np.int8]:
        roles = np.full(self._size, TokenRole.ORDINARY, np.int8)
        roles[list(self._punctuation)] = TokenRole.PUNCTUATION
        return roles

    @cached_property
    def _size(self) -> int:
        """One more than the highest id."""
        return 1 + max(self._tokenizer.get_vocab().values())

    def _ids_of(self, tokens: tuple[str, ...]) -> frozenset[int]:
        spellings = [marker + token for token in tokens for marker in ("", *WORD_MARKERS)]
        found = (self._tokenizer.token_to_id(spelling) for spelling in spellings)
        return frozenset(piece for piece in found if piece is not None)

    def _layout(self, text: str, pair: str | None = None) -> Layout:
        encoding = self._tokenizer.encode(text, pair)
        first = _positions(encoding, 0)
        second = _positions(encoding, 1) or range(first.stop, first.stop)
        if second.start < first.stop:
            raise InputError(f"{self._folder}: the tokenizer puts the second text of a pair first")
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


def _so_many(words: Iterable[str], letters: int) -> Iterator[list[str]]:
    """Words, so many letters at a time: encoding takes some 400 bytes for each."""
    some: list[str] = []
    left = letters
    for word in words:
        if some and left < len(word):
            yield some
            some, left = [], letters
        some.append(word)
        left -= len(word)
    if some:
        yield some


def _unknown(model: dict[str, Any]) -> int | None:
    """The id of the unknown piece, None in a vocabulary that can spell everything."""
    if "unk_id" in model:
        return None if model["unk_id"] is None else int(model["unk_id"])
    found = model["vocab"].get(model.get("unk_token"))
    return None if found is None else int(found)


def _after_space(word: str) -> str:
    return f" {word}" if word and not word.startswith(" ") else word


def _model_of_text(state: dict[str, Any]) -> Any:
    """A tokenizer's model with its special tokens out of the reach of any text.

    They are pieces of a SentencePiece vocabulary like others, and the most probable ones: a word
    that reads `<s>` would become one. Under a name with a space, which is never inside a
    pretoken, they keep their ids.
    """
    from tokenizers import Tokenizer

    special = {token["content"] for token in state["added_tokens"] if token["special"]}
    model = state["model"]
    if isinstance(model["vocab"], list):  # unigrams
        model["vocab"] = [[_hidden(p) if p in special else p, score] for p, score in model["vocab"]]
    elif "continuing_subword_prefix" in model and "merges" not in model:  # word pieces
        special -= {model["unk_token"]}
        model["vocab"] = {_hidden(p) if p in special else p: i for p, i in model["vocab"].items()}
    bare = dict.fromkeys(("normalizer", "pre_tokenizer", "post_processor", "decoder"))
    return Tokenizer.from_str(json.dumps({**state, **bare, "added_tokens": []})).model


def _hidden(piece: str) -> str:
    return f" {piece}"


def _load(folder: Path) -> Tokenizer:
    """The tokenizer as `tokenizer.json` has it; without one, as its class makes it."""
    with _explained(folder):
        whole = (folder / "tokenizer.json").is_file()
        backend = _of_json(folder) if whole else _of_vocabulary(folder)
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    return backend


def _of_json(folder: Path) -> Tokenizer:
    """(The classes of transformers make their own normalizer and template in place of its.)"""
    from tokenizers import Tokenizer

    backend: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    far = [piece for piece, id_ in backend.get_vocab().items() if id_ >= MOST_PIECES]
    if far:
        raise InputError(
            f"{folder / 'tokenizer.json'}: the piece {far[0]!r} has an id over {MOST_PIECES:,}: "
            "give the ids that the model's embeddings have"
        )
    settings = _settings(folder)
    _refuse_contradiction(folder, json.loads(backend.to_str())["normalizer"], settings)
    named = {_spelled(value) for key, value in settings.items() if key.endswith("_token")}
    added = {token.content for token in backend.get_added_tokens_decoder().values()}
    backend.add_special_tokens([*named.intersection(backend.get_vocab()).difference(added)])
    return backend


def _settings(folder: Path) -> dict[str, Any]:
    """What is said of a tokenizer beside its vocabulary."""
    paths = (folder / name for name in ("special_tokens_map.json", "tokenizer_config.json"))
    return {k: v for path in paths if path.is_file() for k, v in read_object(path).items()}


def _spelled(token: Any) -> str:
    """A special token, which is given as text or with its properties; nothing for none."""
    return str((token.get("content") if isinstance(token, dict) else token) or "")


def _refuse_contradiction(folder: Path, made: Any, said: dict[str, Any]) -> None:
    """Of BERT's normalizer both files speak; whichever was followed, the other would be ignored."""
    if not isinstance(made, dict) or made["type"] != "BertNormalizer":
        return
    for key, name in BERT_SETTINGS.items():
        value, other = made[name], said.get(key)
        value = made["lowercase"] if value is None else value
        if other is not None and bool(other) != value:
            raise InputError(
                f"{folder / 'tokenizer_config.json'}: {key} is {other}, but {name} in "
                f"tokenizer.json is {value}: correct the one that is wrong"
            )


def _of_vocabulary(folder: Path) -> Tokenizer:
    from transformers import AutoTokenizer

    _check_sentencepiece(folder)
    if "fast_tokenizer_files" in _settings(folder):
        raise InputError(
            f"{folder / 'tokenizer_config.json'}: fast_tokenizer_files names other files; give "
            "tokenizer.json"
        )
    given = {"use_fast": True, "local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(folder, **given, **casing.settings(folder))
    backend: Tokenizer = tokenizer.backend_tokenizer
    if backend.get_vocab().keys() <= set(tokenizer.all_special_tokens):
        kind = type(tokenizer).__name__
        raise InputError(f"{folder}: a {kind} cannot be made of these files; give tokenizer.json")
    return backend


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Whatever the library finds wrong with a tokenizer is a matter of the input."""
    try:
        yield
    except (InputError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic of the library's is no Exception
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        path = folder / "tokenizer.json"
        place = path if path.is_file() else folder
        raise InputError(f"{place}: no fast tokenizer can be made of it ({reason})") from error


def _check_sentencepiece(folder: Path) -> None:
    """Refuse a tokenizer that cannot be read: transformers would try other kinds instead."""
    names = [name for name in SENTENCEPIECE if (folder / name).is_file()]
    if names and not (folder / "tokenizer.json").is_file() and find_spec("sentencepiece") is None:
        raise InputError(
            f"{folder / names[0]}: to read it takes the packages sentencepiece and protobuf: "
            "pip install sentencepiece protobuf, or give a folder that has tokenizer.json"
        )
