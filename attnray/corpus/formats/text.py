"""Reading unlabelled text: a blank line between documents."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import sentencex

from attnray.corpus.document import Document, Sentence
from attnray.corpus.files.lines import numbered_lines, stem
from attnray.errors import InputError


def read_text(path: str, language: str = "en") -> Iterator[Document]:
    """The documents of a file, their lines joined, split into sentences and those at spaces.

    Args:
        path: the file.
        language: what the sentence splitter takes the text for, as an ISO 639 code.

    Raises:
        InputError: the file cannot be read, or has no text in it.
    """
    number = 0
    for filled, lines in groupby(_stripped(path), key=bool):
        if filled:
            number += 1
            found = sentences(" ".join(lines), language)
            yield Document(f"{stem(path)}-{number}", found, [])
    if not number:
        raise InputError(
            f"{path}: no text in it; give a file of text, a blank line between documents"
        )


def sentences(text: str, language: str) -> list[Sentence]:
    """A text split into sentences, and those at spaces."""
    words = (each.split() for each in sentencex.segment(language, text))
    return [Sentence.unannotated(each) for each in words if each]


def _stripped(path: str) -> Iterator[str]:
    return (line.strip() for _, line in numbered_lines(path))
