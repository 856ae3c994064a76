"""Words that stand for those of a text which a copy of a corpus may not carry."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from attnray.corpus.bounds import cut
from attnray.corpus.document import Document
from attnray.errors import InputError

#: Signs for the letters of a word, or a name of words.
PLACEHOLDER = (
    r"^(?:_+|\*+|[█▒░■]+|XX+|xx+"
    r"|\[(?i:word|token|redacted|masked|unk)\]|<(?i:word|token|redacted|masked|unk)>)$"
)
_PLACEHOLDER = re.compile(PLACEHOLDER)
#: As few words may be what they are: a line of asterisks.
FEWEST = 3


def with_text(path: str, document: Document) -> Document:
    """A document of which some word is none of them.

    Raises:
        InputError: all are.
    """
    if not all(all(map(_PLACEHOLDER.match, each.words)) for each in document.sentences):
        return document
    words = [word for sentence in document.sentences for word in sentence.words]
    if len(words) < FEWEST:
        return document
    raise InputError(
        f"{path}: each of the {len(words)} words of the document {cut(document.id)} is a "
        f"placeholder ({cut(words[0])}): this copy carries no text; get one that does, or leave "
        "the document out"
    )


def number_of(words: pa.Array) -> int:
    """How many of the words are placeholders."""
    return int(pc.match_substring_regex(words, PLACEHOLDER).true_count)
