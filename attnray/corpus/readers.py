"""The corpus formats, and reading a corpus of one or more files in any of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from attnray.config import Config, CorpusConfig, corpora
from attnray.corpus.document import Document
from attnray.corpus.files import addresses, checksums
from attnray.corpus.formats import rows
from attnray.corpus.formats.conll2012 import read_conll2012
from attnray.corpus.formats.conllu import read_conllu
from attnray.corpus.formats.gap import read_gap
from attnray.corpus.formats.json_rows import json_rows, read_json
from attnray.corpus.formats.parquet import parquet_rows, read_parquet
from attnray.corpus.formats.text import read_text
from attnray.corpus.formats.word_head import read_word_head
from attnray.errors import InputError


@dataclass(frozen=True)
class Format:
    """A corpus format: `annotated` tells whether a file has sentences with words of its own.

    `mentions` tells whether it has mentions even where it has no such sentences.
    """

    read: Callable[[str, CorpusConfig], Iterator[Document]]
    annotated: Callable[[str], bool]
    mentions: bool = False


def _always(_: str) -> bool:
    return True


def _never(_: str) -> bool:
    return False


FORMATS = {
    "conllu": Format(lambda path, _: read_conllu(path), _always),
    "conll2012": Format(lambda path, _: read_conll2012(path), _always),
    "word_head": Format(lambda path, _: read_word_head(path), _always),
    "gap": Format(lambda path, corpus: read_gap(path, corpus.language), _never, mentions=True),
    "text": Format(lambda path, corpus: read_text(path, corpus.language), _never),
    "json": Format(
        lambda path, corpus: read_json(path, corpus.language),
        lambda path: rows.annotated(json_rows(path)),
    ),
    "parquet": Format(
        lambda path, corpus: read_parquet(path, corpus.language),
        lambda path: rows.annotated(parquet_rows(path)),
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


def check(config: Config) -> None:
    """Refuse corpora of formats that there are not.

    Raises:
        InputError: says what is possible.
    """
    for corpus in {id(each): each for each in corpora(config).values()}.values():
        if corpus.format not in FORMATS:
            raise InputError(
                f"corpus.format={corpus.format} is not possible: it must be one of "
                f"{', '.join(FORMATS)}"
            )


def guess_format(path: str) -> str | None:
    """The format of a file, pattern or address by its name, None where the name tells nothing."""
    name = addresses.name(path).removesuffix(".gz")
    return next((form for ending, form in ENDINGS.items() if name.endswith(ending)), None)


def annotated(corpus: CorpusConfig) -> bool:
    """Whether a corpus has sentences with words of its own; its first file tells.

    Raises:
        InputError: the file cannot be had or read.
    """
    return FORMATS[corpus.format].annotated(next(_local(corpus)))


def read(corpus: CorpusConfig) -> Iterator[Document]:
    """The documents of a corpus, file after file, the first `limit` of an annotated one.

    (Of unlabelled text `limit` counts examples, which is for the plan to apply.)
    """
    form = FORMATS[corpus.format]
    documents = chain.from_iterable(form.read(path, corpus) for path in _local(corpus))
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
