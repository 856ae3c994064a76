"""The corpus formats, and reading a corpus of one or more files in any of them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice

from attnray.config import Config, CorpusConfig, corpora, require_one
from attnray.corpus import bounds
from attnray.corpus.bounds import within
from attnray.corpus.document import Document
from attnray.corpus.files import addresses, checksums
from attnray.corpus.files.lines import BLOCK, WHOLE, Span, opened
from attnray.corpus.formats import conllu, rows, text
from attnray.corpus.formats.conll2012 import read_conll2012
from attnray.corpus.formats.gap import COLUMNS as GAP
from attnray.corpus.formats.gap import read_gap
from attnray.corpus.formats.json_rows import json_rows, read_json
from attnray.corpus.formats.parquet import parquet_rows, read_parquet
from attnray.corpus.formats.word_head import looks_like_word_head, read_word_head
from attnray.errors import InputError


@dataclass(frozen=True)
class Format:
    """A corpus format: `annotated` tells whether a file has sentences with words of its own.

    `mentions` tells whether it may have mentions, without reading it; `starts` where it can be cut
    between documents, if it can.
    """

    read: Callable[[str, CorpusConfig, Span], Iterator[Document]]
    annotated: Callable[[str], bool]
    mentions: Callable[[str], bool]
    starts: Callable[[str], Iterator[Span]] | None = None

    def documents(self, path: str, corpus: CorpusConfig, span: Span) -> Iterator[Document]:
        """The documents of a file, or a span of it.

        Raises:
            InputError: with file and line, what cannot be read and what it should be.
        """
        relations: set[str] = set()
        with _of_its_format(path, corpus.format):
            for document in self.read(path, corpus, span):
                relations.update(*(sentence.relations for sentence in document.sentences))
                remedy = "see that they are relations"
                within(path, len(relations), bounds.RELATIONS, "different relations", remedy)
                yield document


def _always(_: str) -> bool:
    return True


def _never(_: str) -> bool:
    return False


FORMATS = {
    "conllu": Format(
        lambda path, corpus, span: conllu.read_conllu(path, span, corpus.entity),
        annotated=_always,
        mentions=conllu.may_have_mentions,
        starts=conllu.document_starts,
    ),
    "conll2012": Format(lambda path, *_: read_conll2012(path), _always, _always),
    "word_head": Format(lambda path, *_: read_word_head(path), _always, _never),
    "gap": Format(lambda path, corpus, _: read_gap(path, corpus.language), _never, _always),
    "text": Format(
        lambda path, corpus, span: _read_prose(path, corpus.language, span),
        annotated=_never,
        mentions=_never,
        starts=text.document_starts,
    ),
    "json": Format(
        lambda path, corpus, _: read_json(path, corpus.language),
        lambda path: rows.annotated(json_rows(path)),
        _never,
    ),
    "parquet": Format(
        lambda path, corpus, _: read_parquet(path, corpus.language),
        lambda path: rows.annotated(parquet_rows(path)),
        _never,
    ),
}
#: The formats of files by how their names end, a `.gz` aside.
ENDINGS = {
    ".conllu": "conllu",
    ".conllx": "conllu",
    ".conll": "conllu",
    "_conll": "conll2012",
    ".tsv": "gap",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "json",
    ".parquet": "parquet",
}
#: A row of CoNLL-U or CoNLL-X.
_ROW = re.compile(r"\d+([-.]\d+)?(\t[^\t]+){9}$")


def check(config: Config) -> None:
    """Refuse corpora of formats that there are not.

    Raises:
        InputError: says what is possible.
    """
    for corpus in {id(each): each for each in corpora(config).values()}.values():
        require_one("corpus.format", corpus.format, (*FORMATS,))


def look(config: Config) -> None:
    """Refuse corpora whose files are not there, as far as that is known on this machine.

    Raises:
        InputError: names the file, or the pattern.
    """
    for corpus in corpora(config).values():
        for path in corpus.path if isinstance(corpus.path, list) else [corpus.path]:
            addresses.look(path)


def guess_format(path: str) -> str | None:
    """The format of a file, pattern or address, None where nothing tells it.

    The first lines of a file here tell before its name does: endings say little.
    """
    if os.path.isfile(path) and (told := _told_by_lines(path)):
        return told
    name = addresses.name(path).removesuffix(".gz")
    return next((form for ending, form in ENDINGS.items() if name.endswith(ending)), None)


def _read_prose(path: str, language: str, span: Span) -> Iterator[Document]:
    """The documents of a file of text, whose first lines are those of no other format."""
    if not span.start:
        if _told_by_lines(path):
            raise InputError(f"{path}: no prose")
        tabs = {line.count("\t") for line in _first_lines(path) if line.strip()}
        if len(tabs) == 1 and (columns := tabs.pop() + 1) > 2:
            problem = f"no prose, its first lines have {columns} columns each"
            raise InputError(f"{path}: {problem}; give the text alone, or its own format")
    return text.read_text(path, language, span)


@contextmanager
def _of_its_format(path: str, form: str) -> Iterator[None]:
    """Say of a file that cannot be read in a format which other one it looks like, if any."""
    try:
        yield
    except InputError as error:
        told = _told_by_lines(path)
        if told in (None, form):
            raise
        problem = f"{error}; its first lines are those of {told}"
        raise InputError(f"{problem}: say corpus={told} corpus.path=FILE") from error


def _told_by_lines(path: str) -> str | None:
    """The format that the first lines of a file can only be of."""
    lines = _first_lines(path)
    first = next((line for line in lines if not line.startswith("#")), "")
    if lines[0].startswith("PAR1"):
        return "parquet"
    if tuple(lines[0].rstrip("\r").split("\t")) == GAP:
        return "gap"
    if lines[0].startswith("#begin document"):
        return "conll2012"
    if lines[0].startswith(('{"', '[{"')):
        return "json"
    if _ROW.match(first):
        return "conllu"
    return "word_head" if looks_like_word_head(lines) else None


def _first_lines(path: str) -> list[str]:
    """The lines of a file that are in its first block, the last of which may be cut."""
    with opened(path) as contents:
        block = contents.read(BLOCK).lstrip().decode("utf-8-sig", errors="replace")
    return block.split("\n")


def annotated(corpus: CorpusConfig) -> bool:
    """Whether a corpus has sentences with words of its own; its first file tells.

    Raises:
        InputError: the file cannot be had or read.
    """
    path = next(_local(corpus))
    with _of_its_format(path, corpus.format):
        return FORMATS[corpus.format].annotated(path)


def may_have_mentions(corpus: CorpusConfig) -> bool:
    """Whether it is worth reading a corpus for its mentions.

    Raises:
        InputError: a file cannot be had or read.
    """
    return any(map(FORMATS[corpus.format].mentions, _local(corpus)))


def read(corpus: CorpusConfig) -> Iterator[Document]:
    """The documents of a corpus, file after file, the first `limit` of an annotated one.

    (Of unlabelled text `limit` counts examples, which is for the plan to apply.)
    """
    form = FORMATS[corpus.format]
    documents = chain.from_iterable(form.documents(path, corpus, WHOLE) for path in _local(corpus))
    return islice(documents, corpus.limit if annotated(corpus) else None)


def files(corpus: CorpusConfig) -> list[str]:
    """The files of a corpus on this machine's disk: a pattern stands for those it matches.

    Those at an address are downloaded, once in a process, unless the cache has them.

    Raises:
        InputError: a pattern matches nothing, a file cannot be had, or is not the one that
            `checksums` has under its name.
    """
    return list(_local(corpus))


def _local(corpus: CorpusConfig) -> Iterator[str]:
    """The files, one at a time, so that the first can be read before the last is there."""
    paths = corpus.path if isinstance(corpus.path, list) else [corpus.path]
    for address in (each for path in paths for each in addresses.matching(path)):
        expected = checksums.pinned(addresses.name(address), corpus.checksums)
        path = addresses.local(address, expected)
        if expected is not None:
            checksums.check(path, address, expected)
        yield path


def fingerprint(corpus: CorpusConfig) -> str:
    """The sha256 over the contents of a corpus's files: a compressed copy is the same corpus.

    Raises:
        InputError: a file cannot be had or read.
    """
    digest = hashlib.sha256()
    for path in files(corpus):
        digest.update(bytes.fromhex(checksums.contents_sha256(path)))
    return digest.hexdigest()


def default_segment(corpus: CorpusConfig) -> str:
    """What patterns measure: `corpus.segment`, else sentences, or pairs for plain text."""
    if corpus.segment is not None:
        return corpus.segment
    return "sentence" if annotated(corpus) else "pair"
