"""The rows of a CoNLL-U sentence: those of its words, or what is wrong with the first bad one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import eq
from typing import NamedTuple

from attnray.corpus.document import NO_HEAD

COLUMNS = 10
#: A word, the range of a multiword token, or an empty node.
_ID = re.compile(r"(?P<word>\d+)|(?P<range>\d+-\d+)|(?P<empty>\d+\.\d+)")
#: The id of a word, or 0 for the root.
_HEAD = re.compile(r"0|[1-9][0-9]{0,8}")
HEADS = "give a word's id, 0 for the root, or _"

#: The columns of a line.
Row = list[str]


class Words(NamedTuple):
    """The columns of a sentence's words, as they stand there, and their heads as numbers."""

    forms: Sequence[str] = ()
    upos: Sequence[str] = ()
    xpos: Sequence[str] = ()
    feats: Sequence[str] = ()
    heads: Sequence[int] = ()
    relations: Sequence[str] = ()


def words(rows: Sequence[Row]) -> Words:
    """The words among the rows of a sentence, which may be none.

    All rows are looked at at once: `fault` tells which one is wrong, and how.

    Raises:
        ValueError: a row is wrong.
    """
    columns = _columns(rows)
    if columns[0] != _numbers(len(rows)):
        if not all(_ID.fullmatch(each) for each in columns[0]):
            raise ValueError
        rows = [row for row in rows if is_word(row)]
        if not rows:
            return Words()
        columns = _columns(rows)
        if columns[0] != _numbers(len(rows)):
            raise ValueError
    ids, forms, _, upos, xpos, feats, heads, relations, _, _ = columns
    if any(map(eq, ids, heads)):
        raise ValueError
    if ("_" in relations or "" in relations) and any(map(_is_unnamed, heads, relations)):
        raise ValueError
    return Words(forms, upos, xpos, feats, tuple(map(_head, heads)), relations)


def is_word(row: Row) -> bool:
    """Whether a row is that of a word, as its id tells."""
    return row[0].isdecimal()


def is_range(row: Row) -> bool:
    """Whether a row is that of a multiword token, as its id tells."""
    return "-" in row[0]


def fault(rows: Sequence[Row]) -> tuple[int, str]:
    """Which row is the first that is wrong, from 0, and what is wrong with it."""
    count = 0
    for place, row in enumerate(rows):
        problem = _problem(row, count + 1)
        if problem:
            return place, problem
        count += is_word(row)
    raise AssertionError("no row is wrong")


def _columns(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    columns = list(zip(*rows, strict=True))
    if len(columns) != COLUMNS:
        raise ValueError
    return columns


@lru_cache(1024)
def _numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(1, count + 1)))


@lru_cache(4096)
def _head(text: str) -> int:
    if text == "_":
        return NO_HEAD
    if not _HEAD.fullmatch(text):
        raise ValueError
    return int(text)


def _is_unnamed(head: str, relation: str) -> bool:
    return head != "_" and relation in ("_", "")


def _problem(row: Row, expected: int) -> str | None:
    """What is wrong with a row where the next word is to have this number."""
    if len(row) != COLUMNS:
        return f"{len(row)} columns; CoNLL-U has {COLUMNS}, separated by tabs"
    kind = _ID.fullmatch(row[0])
    if kind is None:
        return f"the id {row[0]!r} is none; write 3, 3-4 or 3.1"
    if not kind["word"]:
        return None
    if row[0] != str(expected):
        return f"the id {row[0]} stands where {expected} should; words count from 1"
    head, relation = row[6], row[7]
    if head != "_" and not _HEAD.fullmatch(head):
        return f"HEAD is {head!r}; {HEADS}"
    if head == row[0]:
        return f"word {head} is its own HEAD; {HEADS}"
    if _is_unnamed(head, relation):
        return f"word {row[0]} has a HEAD but no DEPREL; name it, or give _ for HEAD"
    return None
