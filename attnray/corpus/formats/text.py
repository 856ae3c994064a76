"""Reading unlabelled text: a blank line between documents."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import sentencex

from attnray.corpus import bounds
from attnray.corpus.bounds import Extent, check
from attnray.corpus.document import Document, Sentence
from attnray.corpus.files.lines import WHOLE, Span, blocks, error_at, numbered_lines, runs, stem
from attnray.corpus.formats.word_head import looks_like_word_head
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
        if not number and looks_like_word_head([line for _, line in lines]):
            problem = "lines of `word head-relation` are no prose"
            raise error_at(path, lines[0][0], f"{problem}; say corpus=word_head corpus.path=FILE")
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
    check(where, len(text), bounds.LINE, "characters in a passage")
    extent = Extent()
    words = (each.split() for each in sentencex.segment(language, text))
    return [extent.add(Sentence.unannotated(each), where) for each in words if each]
