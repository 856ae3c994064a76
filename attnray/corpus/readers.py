"""The corpus formats, and reading a corpus of one or more files in any of them."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import chain, islice
from pathlib import Path

from attnray.config import CorpusConfig
from attnray.corpus.conll2012 import read_conll2012
from attnray.corpus.conllu import read_conllu
from attnray.corpus.document import Document
from attnray.corpus.gap import read_gap
from attnray.corpus.text import read_text
from attnray.corpus.word_head import read_word_head
from attnray.errors import InputError

#: How a path names a file inside an installed package: pkg://PACKAGE/FILE.
PACKAGE_SCHEME = "pkg://"


@dataclass(frozen=True)
class Format:
    """A corpus format: `annotated` tells whether it has sentences with words of its own.

    `mentions` tells whether it has mentions even where it has no such sentences.
    """

    read: Callable[[str, CorpusConfig], Iterator[Document]]
    annotated: bool
    mentions: bool = False


FORMATS = {
    "conllu": Format(lambda path, _: read_conllu(path), annotated=True),
    "conll2012": Format(lambda path, _: read_conll2012(path), annotated=True),
    "word_head": Format(lambda path, _: read_word_head(path), annotated=True),
    "gap": Format(
        lambda path, corpus: read_gap(path, corpus.language), annotated=False, mentions=True
    ),
    "text": Format(lambda path, corpus: read_text(path, corpus.language), annotated=False),
}


def read(corpus: CorpusConfig) -> Iterator[Document]:
    """The documents of a corpus, file after file, the first `limit` of an annotated one.

    (Of unlabelled text `limit` counts examples, which is for the plan to apply.)
    """
    form = FORMATS[corpus.format]
    documents = chain.from_iterable(form.read(path, corpus) for path in files(corpus))
    return islice(documents, corpus.limit if form.annotated else None)


def files(corpus: CorpusConfig) -> list[str]:
    """The files of a corpus on this machine's disk: a pattern stands for those it matches.

    Raises:
        InputError: a pattern matches nothing.
    """
    paths = corpus.path if isinstance(corpus.path, list) else [corpus.path]
    return [file for path in paths for file in _matching(_resolve(path))]


def _matching(path: str) -> list[str]:
    if not glob.has_magic(path) or Path(path).exists():
        return [path]
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise InputError(f"{path}: no file matches; corpus.path is a file, files, or a pattern")
    return found


def fingerprint(corpus: CorpusConfig) -> str:
    """The sha256 over the contents of a corpus's files.

    Raises:
        InputError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in files(corpus):
        try:
            with open(path, "rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise InputError(
                f"{path}: {error.strerror}; corpus.path must name a readable file"
            ) from error
    return digest.hexdigest()


#: The format that the ending of a name stands for.
FORMAT_OF_ENDING = {
    ".conllu": "conllu",
    ".conllx": "conllu",
    "_conll": "conll2012",
    ".tsv": "gap",
    ".txt": "text",
}


def guess_format(path: str) -> str | None:
    """The format that a file's name tells, compressed or not; None where it tells none."""
    name = path.removesuffix(".gz")
    return next((f for ending, f in FORMAT_OF_ENDING.items() if name.endswith(ending)), None)


def default_segment(corpus: CorpusConfig) -> str:
    """What patterns measure: `corpus.segment`, else sentences, or pairs for plain text."""
    if corpus.segment is not None:
        return corpus.segment
    return "sentence" if FORMATS[corpus.format].annotated else "pair"


def _resolve(path: str) -> str:
    if not path.startswith(PACKAGE_SCHEME):
        return path
    package, _, rest = path.removeprefix(PACKAGE_SCHEME).partition("/")
    return str(resources.files(package).joinpath(rest))
