"""Reading trees as lines of `word head-relation`, a blank line between sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from attnray.corpus.bounds import Extent, shown
from attnray.corpus.document import Document, Sentence
from attnray.corpus.files.lines import error_at, numbered_lines, runs, stem
from attnray.errors import InputError

#: A word, and its head (0 for the root) with the relation.
_LINE = re.compile(r"(?P<word>\S+)[ \t]+(?P<head>\d{1,9})-(?P<relation>\S+)\s*")


def read_word_head(path: str) -> Iterator[Document]:
    """The sentences of a file as one document: the format knows no documents.

    Raises:
        InputError: with file and line, what cannot be read and what it should be.
    """
    extent = Extent()
    sentences = [
        extent.add(_sentence(path, lines), f"{path}:{lines[0][0]}")
        for lines in runs(path, numbered_lines(path))
    ]
    if not sentences:
        raise InputError(f"{path}: no sentence in it; give lines of `word head-relation`")
    yield Document(stem(path), sentences, [])


def looks_like_word_head(lines: Sequence[str]) -> bool:
    """Whether the first lines of a file, blank ones aside, are of this format and not of prose."""
    matches = map(_LINE.fullmatch, filter(str.strip, lines))
    found = [match for match in takewhile(bool, matches) if match]
    named = all(match["relation"][0].isalpha() for match in found)
    roots = any(match["head"] == "0" for match in found)
    return len(found) > 1 and named and roots


def _sentence(path: str, lines: list[tuple[int, str]]) -> Sentence:
    words, heads, relations = [], [], []
    for position, (number, line) in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise error_at(
                path, number, f"{shown(line)} is not `word head-relation`, as in `saw 0-root`"
            )
        head = int(match["head"])
        if head > len(lines) or head == position:
            problem = f"the head is {head} of word {position} of {len(lines)}; give another word's "
            raise error_at(path, number, f"{problem}number, or 0 for the root")
        words.append(match["word"])
        heads.append(head)
        relations.append(match["relation"])
    empty = [""] * len(words)
    return Sentence("", words, empty, empty, heads, relations, empty)
