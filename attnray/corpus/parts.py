"""The parts of a corpus: what is planned at a time, by one process or by many.

They are made of its bytes alone, whoever plans them. A part is of whole documents.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from attnray.config import CorpusConfig
from attnray.corpus.document import Document
from attnray.corpus.files.lines import WHOLE, Span, compressed
from attnray.corpus.placeholders import with_text
from attnray.corpus.readers import FORMATS, files, read

#: A part ends with the first document, or file, with which it has so many bytes.
PART_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a part has of a file: `number` is its place among the corpus's files."""

    path: str
    number: int
    span: Span


Part = tuple[Stretch, ...]


def whole(corpus: CorpusConfig) -> Part:
    """All of a corpus as one part."""
    return tuple(Stretch(path, number, WHOLE) for number, path in enumerate(files(corpus)))


def parts(corpus: CorpusConfig) -> list[Part]:
    """The parts of a corpus, in its order: of several files, or of one that can be cut.

    A compressed file is not cut.

    Raises:
        InputError: a file cannot be had or read.
    """
    starts = FORMATS[corpus.format].starts
    found: list[list[Stretch]] = [[]]
    size = 0
    for number, path in enumerate(files(corpus)):
        end = os.path.getsize(path)
        cut = starts is not None and end > PART_BYTES and not compressed(path)
        for span in _spans(path, starts) if cut and starts else [WHOLE]:
            if size >= PART_BYTES:
                found.append([])
                size = 0
            found[-1].append(Stretch(path, number, span))
            size += (end if span.end is None else span.end) - span.start
    return [tuple(each) for each in found]


def _spans(path: str, starts: Callable[[str], Iterator[Span]]) -> Iterator[Span]:
    """A file cut between documents: every span has one, and all but the last `PART_BYTES`."""
    span = WHOLE
    for start in starts(path):
        enough = start.start - span.start >= PART_BYTES and start.documents > span.documents
        if enough and start.end is None:
            yield replace(span, end=start.start)
            span = start
    yield span


def documents(corpus: CorpusConfig, part: Part, annotated: bool = True) -> Iterator[Document]:
    """The documents of a part; those of an annotated corpus have text.

    Raises:
        InputError: with file and line, what cannot be read and what it should be.
    """
    form = FORMATS[corpus.format]
    for stretch in part:
        path = _here(corpus, stretch)
        for document in form.documents(path, corpus, stretch.span):
            yield with_text(path, document) if annotated else document


def _here(corpus: CorpusConfig, stretch: Stretch) -> str:
    """The path of a file on this machine, which may not be the one that cut the corpus."""
    if os.path.exists(stretch.path):
        return stretch.path
    return files(corpus)[stretch.number]


def has_documents(corpus: CorpusConfig, count: int) -> bool:
    """Whether an annotated corpus has so many documents, within its limit.

    Raises:
        InputError: a file cannot be had or read.
    """
    starts = FORMATS[corpus.format].starts
    if corpus.limit is not None and corpus.limit < count:
        return False
    if starts is None:
        return sum(1 for _ in islice(read(corpus), count)) == count
    left = count
    for path in files(corpus):
        for start in starts(path):
            if start.documents >= left:
                return True
        left -= start.documents
    return False
