"""Reading GAP: passages of Wikipedia with an ambiguous pronoun and two names."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import NamedTuple

import sentencex

from attnray.corpus import bounds
from attnray.corpus.bounds import Extent, shown, within
from attnray.corpus.document import NO_HEAD, Document, Mention, Sentence
from attnray.corpus.files.lines import error_at, numbered_lines
from attnray.errors import InputError

COLUMNS = (
    "ID",
    "Text",
    "Pronoun",
    "Pronoun-offset",
    "A",
    "A-offset",
    "A-coref",
    "B",
    "B-offset",
    "B-coref",
    "URL",
)
#: The entity of the pronoun, and of a name that it stands for.
PRONOUN = "Pronoun"
LABELS = {"TRUE": True, "FALSE": False}
_WORD = re.compile(r"\S+")


class Span(NamedTuple):
    """A mention in the text: characters `start` to `end`, from 0, the end not included."""

    start: int
    end: int
    entity: str
    upos: str


class Word(NamedTuple):
    """A word and the character it starts at."""

    start: int
    form: str


def read_gap(path: str, language: str = "en") -> Iterator[Document]:
    """The passages of a file, each a document with three mentions: the pronoun and two names.

    Words end at spaces and at the edges of mentions. A name that the pronoun stands for has
    the pronoun's entity, another one its own. Quotes are text: the file has none around fields.

    Raises:
        InputError: the file cannot be read or has no passage, or a line is not as GAP has it.
    """
    lines = numbered_lines(path)
    number, header = next(lines, (1, ""))
    if tuple(header.split("\t")) != COLUMNS:
        raise error_at(path, number, f"not GAP's first line; it is {' '.join(COLUMNS)}, with tabs")
    found = False
    for number, line in lines:
        fields = line.split("\t")
        if len(fields) != len(COLUMNS):
            problem = f"{len(fields)} columns; GAP has {len(COLUMNS)}, separated by tabs"
            raise error_at(path, number, problem)
        found = True
        row = dict(zip(COLUMNS, fields, strict=True))
        where = f"{path}:{number}"
        within(where, len(row["Text"]), bounds.WINDOW, "characters in a passage")
        within(where, len(row["ID"]), bounds.NAME, "characters in an ID")
        try:
            spans = _spans(row)
        except ValueError as error:
            raise error_at(path, number, str(error)) from error
        yield _document(row["ID"], row["Text"], spans, language, where)
    if not found:
        raise InputError(f"{path}: no passage in it; give a file of GAP")


def _spans(row: dict[str, str]) -> list[Span]:
    """The mentions of a passage, in the order of the text.

    Raises:
        ValueError: says what of the line is not as GAP has it.
    """
    spans = [_span(row, PRONOUN, PRONOUN, "PRON")]
    for name in ("A", "B"):
        label = row[f"{name}-coref"]
        if label not in LABELS:
            raise ValueError(f"{name}-coref is {shown(label)}; it must be {' or '.join(LABELS)}")
        spans.append(_span(row, name, PRONOUN if LABELS[label] else name, "PROPN"))
    return sorted(spans)


def _span(row: dict[str, str], column: str, entity: str, upos: str) -> Span:
    form, offset = row[column], row[f"{column}-offset"]
    if not (offset.isascii() and offset.isdigit() and len(offset) < 10):
        raise ValueError(
            f"{column}-offset is {shown(offset)}; it must be a number of characters from 0"
        )
    start = int(offset)
    if not form.strip() or not row["Text"].startswith(form, start):
        raise ValueError(f"the text at {column}-offset {start} is not {column} ({shown(form)})")
    return Span(start, start + len(form), entity, upos)


def _document(name: str, text: str, spans: Sequence[Span], language: str, where: str) -> Document:
    """A passage as sentences of words, its mentions as runs of them."""
    parts = [part for part in _sentences(text, spans, language) if part]
    starts = [word.start for word in chain.from_iterable(parts)]
    mentions = [
        Mention(bisect_left(starts, span.start), bisect_left(starts, span.end) - 1, span.entity)
        for span in spans
    ]
    tags = [""] * len(starts)
    for mention, span in zip(mentions, spans, strict=True):
        tags[mention.end] = span.upos
    ends = accumulate(map(len, parts), initial=0)
    extent = Extent()
    sentences = [
        extent.add(_sentence([word.form for word in part], tags[first:end]), where)
        for part, (first, end) in zip(parts, pairwise(ends), strict=True)
    ]
    return Document(name, sentences, sorted(mentions))


def _sentences(text: str, spans: Sequence[Span], language: str) -> Iterator[list[Word]]:
    """The words of each sentence; a mention is never split between two."""
    found = (each["start_index"] for each in sentencex.get_sentence_boundaries(language, text))
    starts = [at for at in found if not any(span.start < at < span.end for span in spans)]
    edges = {edge for span in spans for edge in (span.start, span.end)}
    for first, end in pairwise(sorted({0, *starts, len(text)})):
        cuts = sorted({first, end, *(edge for edge in edges if first < edge < end)})
        yield [word for start, stop in pairwise(cuts) for word in _words(text, start, stop)]


def _words(text: str, start: int, stop: int) -> list[Word]:
    return [Word(match.start(), match[0]) for match in _WORD.finditer(text, start, stop)]


def _sentence(words: list[str], upos: list[str]) -> Sentence:
    empty = [""] * len(words)
    return Sentence("", words, upos, empty, [NO_HEAD] * len(words), empty, empty)
