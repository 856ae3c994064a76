"""Corpora that are rows of named fields, as JSON and Parquet have them: rows to documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any, NamedTuple

from attnray.corpus import bounds
from attnray.corpus.bounds import Extent, cut, shown, within
from attnray.corpus.document import NO_HEAD, Document, Sentence
from attnray.corpus.files.lines import stem
from attnray.corpus.formats.text import sentences
from attnray.errors import InputError

#: What a field may be called, in order of preference.
TEXT = ("text",)
WORDS = ("words", "tokens")
HEADS = ("heads", "head")
RELATIONS = ("relations", "relns", "deprel")
UPOS = ("upos",)
XPOS = ("xpos", "tags")
SENTENCE = ("sent_id", "idx")
DOCUMENT = ("document", "doc_id")
FIELDS = (*TEXT, *WORDS, *HEADS, *RELATIONS, *UPOS, *XPOS, *SENTENCE, *DOCUMENT)

#: How Hugging Face's Universal Dependencies write the head of a multiword token's range and of
#: an empty node, which heads do not count.
NOT_A_WORD = "None"
_UNKNOWN = (None, "_", "", NOT_A_WORD)
_CONTINUED = "##"
_BETWEEN = ("[CLS]", "[SEP]", "[PAD]")


class Row(NamedTuple):
    """The fields of a row, and where it stands in its file."""

    where: str
    fields: dict[str, Any]

    def get(self, names: Sequence[str]) -> Any:
        """The value of the first of these fields that is there, None without any."""
        return next((self.fields[n] for n in names if self.fields.get(n) is not None), None)


def annotated(rows: Iterable[Row]) -> bool:
    """Whether the first row is a sentence of words, and not unlabelled text.

    Raises:
        InputError: it is neither.
    """
    return any(_kind(row) == "words" for row in list(_first(rows)))


def documents(path: str, rows: Iterable[Row], language: str) -> Iterator[Document]:
    """The documents of a file's rows, which are all of one kind.

    A row with `words` (or `tokens`) is a sentence; consecutive ones with the same `document` (or
    `doc_id`) are a document, and all of them where there is none. A row with `text` is a document
    of unlabelled text, and so is one with `tokens` that begin with [CLS]: those are word pieces,
    joined to words, in a sentence for each [SEP].

    Raises:
        InputError: with file and row, what cannot be read and what it should be.
    """
    rows = iter(rows)
    first = list(_first(rows))
    kind = _kind(first[0]) if first else ""
    same = (_of_kind(row, kind) for row in chain(first, rows))
    found = False
    for document in (
        _annotated(path, same) if kind == "words" else _unlabelled(path, same, language)
    ):
        found = True
        yield document
    if not found:
        raise InputError(f"{path}: no text and no sentence in it")


def _first(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield row
        return


def _kind(row: Row) -> str:
    words = row.get(WORDS)
    if words is not None:
        begins = isinstance(words, list) and words[:1] == ["[CLS]"]
        return "pieces" if row.fields.get("words") is None and begins else "words"
    if any(name in row.fields for name in TEXT):
        return "text"
    has = cut(", ".join(row.fields)) or "nothing"
    raise InputError(f"{row.where}: it has {has}; give text, words or tokens")


def _of_kind(row: Row, kind: str) -> Row:
    if (own := _kind(row)) != kind:
        raise InputError(f"{row.where}: {own} where the rows before have {kind}; give one kind")
    return row


def _annotated(path: str, rows: Iterable[Row]) -> Iterator[Document]:
    for name, group in groupby(rows, key=lambda row: _name(row, DOCUMENT)):
        extent = Extent()
        sentences = ((row.where, _sentence(row)) for row in group)
        found = [extent.add(sentence, where) for where, sentence in sentences if sentence.words]
        if found:
            yield Document(name or stem(path), found, [])


def _unlabelled(path: str, rows: Iterable[Row], language: str) -> Iterator[Document]:
    filled = (found for row in rows if (found := _texts(row, language)))
    for number, found in enumerate(filled, 1):
        yield Document(f"{stem(path)}-{number}", found, [])


def _texts(row: Row, language: str) -> list[Sentence]:
    """The sentences of a row of unlabelled text."""
    pieces = row.get(WORDS)
    if pieces is not None:
        extent = Extent()
        runs = _joined(_strings(row, pieces, WORDS))
        return [extent.add(Sentence.unannotated(words), row.where) for words in runs]
    text = row.get(TEXT)
    if not isinstance(text, str | None):
        raise InputError(f"{row.where}: text is {shown(text)}; give a string")
    text = text or ""
    within(row.where, len(text), bounds.LINE, "characters in a passage")
    return sentences(" ".join(text.split()), language, row.where)


def _joined(pieces: Iterable[str]) -> list[list[str]]:
    """The words of word pieces, those between two special tokens together."""
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece in _BETWEEN:
            runs.append([])
        elif piece.startswith(_CONTINUED) and runs[-1]:
            runs[-1][-1] += piece.removeprefix(_CONTINUED)
        else:
            runs[-1].append(piece)
    return [run for run in runs if run]


def _sentence(row: Row) -> Sentence:
    words = _strings(row, row.get(WORDS), WORDS)
    heads, *tags = (_column(row, names, len(words)) for names in (HEADS, RELATIONS, UPOS, XPOS))
    kept = [i for i, head in enumerate(heads) if head != NOT_A_WORD] or range(len(words))
    words, heads = [words[i] for i in kept], [heads[i] for i in kept]
    relations, upos, xpos = ([_tag(column[i]) for i in kept] for column in tags)
    numbers = [
        _head(row, position, head, len(words), relation)
        for position, (head, relation) in enumerate(zip(heads, relations, strict=True), 1)
    ]
    empty = [""] * len(words)
    return Sentence(_name(row, SENTENCE), words, upos, xpos, numbers, relations, empty)


def _name(row: Row, names: Sequence[str]) -> str:
    """A name in one of these fields, empty where there is none."""
    name = row.get(names)
    if name is None:
        return ""
    if not isinstance(name, str | int | float):
        raise InputError(f"{row.where}: {' or '.join(names)} is {shown(name)}; give a name")
    within(row.where, len(str(name)), bounds.NAME, f"characters in {' or '.join(names)}")
    return str(name)


def _strings(row: Row, values: Any, names: Sequence[str]) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(f"{row.where}: {' or '.join(names)} is no list of strings; give one")
    return values


def _column(row: Row, names: Sequence[str], length: int) -> list[Any]:
    """The values of the words in one of these fields, None for each without any."""
    values = row.get(names)
    if values is None:
        return [None] * length
    if not isinstance(values, list) or len(values) != length:
        raise InputError(
            f"{row.where}: {' or '.join(names)} is no list of {length} values; "
            "give one for each word"
        )
    return values


def _tag(value: Any) -> str:
    """A label as text, empty where there is none or only the number of a class."""
    return value if isinstance(value, str) and value != "_" else ""


def _head(row: Row, position: int, value: Any, words: int, relation: str) -> int:
    if value in _UNKNOWN:
        return NO_HEAD
    text = str(value) if type(value) in (int, str) else ""
    head = int(text) if text.isdecimal() and len(text) < 10 else NO_HEAD
    if not 0 <= head <= words or head == position:
        raise InputError(
            f"{row.where}: the head is {shown(value)} of word {position} of {words}; "
            "give another word's number, or 0 for the root"
        )
    if not relation:
        raise InputError(
            f"{row.where}: word {position} has a head but no relation; "
            f"give {' or '.join(RELATIONS)}, or null for the head"
        )
    return head
