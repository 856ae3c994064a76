"""Reading unlabelled text: a blank line between documents."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import sentencex

from attnray.corpus import bounds
from attnray.corpus.bounds import Extent, within
from attnray.corpus.document import Document, Sentence
from attnray.corpus.files.lines import WHOLE, Span, blocks, numbered_lines, runs, stem
from attnray.errors import InputError


def read_text(path: str, language: str = "en", span: Span = WHOLE) -> Iterator[Document]:
    """The documents of a file, their lines joined, split into sentences and those at spaces.

    Args:
        path: the file.
        language: what the sentence splitter takes the text for, as an ISO 639 code.
        span: what of the file to read.

    Raises:
        InputError: the file cannot be read, or has no text in it.
    """
    number = span.documents
    for lines in runs(path, numbered_lines(path, span)):
        number += 1
        joined = " ".join(line.strip() for _, line in lines)
        found = sentences(joined, language, f"{path}:{lines[0][0]}")
        yield Document(f"{stem(path)}-{number}", found, [])
    if not number:
        raise InputError(
            f"{path}: no text in it; give a file of text, a blank line between documents"
        )


def document_starts(path: str) -> Iterator[Span]:
    """Where a file can be cut between documents: what is left of it from each place on.

    The last is its end, with nothing left.

    Raises:
        InputError: the file cannot be read.
    """
    at = lines = documents = 0
    inside = False
    for block in blocks(path):
        for raw in BytesIO(block):
            text = raw.decode("utf-8-sig" if not at else "utf-8", errors="replace")
            before, inside = inside, bool(text.strip())
            if inside and not before:
                yield Span(at, None, lines, documents)
                documents += 1
            at += len(raw)
            lines += 1
    yield Span(at, at, lines, documents)


def sentences(text: str, language: str, where: str) -> list[Sentence]:
    """A text split into sentences, and those at spaces.

    Raises:
        InputError: it, or one of these, is too long; names the place `where` it stands.
    """
    extent = Extent()
    words = (each.split() for each in _segmented(text, language, where))
    return [extent.add(Sentence.unannotated(each), where) for each in words if each]


def _segmented(text: str, language: str, where: str) -> Iterator[str]:
    """The sentences of a text, found in a window at a time; they may end at its end, too.

    (A quote that is never closed takes time quadratic in what is looked at.)
    """
    start = 0
    while len(text) > start + bounds.WINDOW:
        end = text.find(" ", start + bounds.WINDOW) + 1 or len(text)
        word = max(start, text.rfind(" ", 0, start + bounds.WINDOW) + 1)
        within(where, len(text[word:end].rstrip()), bounds.WORD, "characters in a word")
        *whole, last = sentencex.segment(language, text[start:end])
        yield from whole
        start = end - len(last)
        if len(last) > bounds.WINDOW // 2:
            yield last
            start = end
    yield from sentencex.segment(language, text[start:])
