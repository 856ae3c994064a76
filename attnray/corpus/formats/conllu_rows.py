"""The rows of a CoNLL-U sentence: its words, or what is wrong with the first row that is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import eq
from typing import NamedTuple

from attnray.corpus.bounds import cut, shown
from attnray.corpus.document import NO_HEAD

ID, FORM, UPOS, XPOS, FEATS, HEAD, DEPREL, MISC = 0, 1, 3, 4, 5, 6, 7, 9
COLUMNS = 10
#: A word, the range of a multiword token, or an empty node.
_ID = re.compile(r"(?P<word>\d+)|(?P<range>\d+-\d+)|(?P<empty>\d+\.\d+)")
#: The id of a word, or 0 for the root.
_HEAD = re.compile(r"0|[1-9][0-9]{0,8}")
HEADS = "give a word's id, 0 for the root, or _"


#: The columns of a line.
Row = list[str]


class Words(NamedTuple):
    """The columns of the words of a sentence; an underscore has become nothing."""

    forms: list[str]
    upos: list[str]
    xpos: list[str]
    heads: list[int]
    relations: list[str]
    feats: list[str]


def words(rows: Sequence[Row]) -> Words:
    """The words among the rows of a sentence, which may be none.

    All rows are looked at at once: `fault` tells which one is wrong, and how.

    Raises:
        ValueError: a row is wrong.
    """
    columns = _columns(rows)
    if columns[ID] != _numbers(len(rows)):
        if not all(map(_ID.fullmatch, columns[ID])):
            raise ValueError
        rows = [row for row in rows if row[ID].isdecimal()]
        if not rows:
            return Words([], [], [], [], [], [])
        columns = _columns(rows)
        if columns[ID] != _numbers(len(rows)):
            raise ValueError
    heads, relations = columns[HEAD], columns[DEPREL]
    if any(map(eq, columns[ID], heads)):
        raise ValueError
    if ("_" in relations or "" in relations) and any(map(_is_unnamed, heads, relations)):
        raise ValueError
    return Words(
        forms=list(columns[FORM]),
        upos=_tags(columns[UPOS]),
        xpos=_tags(columns[XPOS]),
        heads=list(map(_head, heads)),
        relations=_tags(relations),
        feats=_tags(columns[FEATS]),
    )


def fault(rows: Sequence[Row]) -> tuple[int, str]:
    """Which row is the first that is wrong, from 0, and what is wrong with it."""
    count = 0
    for place, row in enumerate(rows):
        problem = _problem(row, count + 1)
        if problem:
            return place, problem
        count += row[ID].isdecimal()
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


def _tags(column: Sequence[str]) -> list[str]:
    return ["" if tag == "_" else tag for tag in column] if "_" in column else list(column)


def _problem(row: Row, expected: int) -> str | None:
    """What is wrong with a row where the next word is to have this number."""
    if len(row) != COLUMNS:
        return f"{len(row)} columns; CoNLL-U has {COLUMNS}, separated by tabs"
    kind = _ID.fullmatch(row[ID])
    if kind is None:
        return f"the id {shown(row[ID])} is none; write 3, 3-4 or 3.1"
    if not kind["word"]:
        return None
    if row[ID] != str(expected):
        return f"the id {cut(row[ID])} stands where {expected} should; words count from 1"
    head, relation = row[HEAD], row[DEPREL]
    if head != "_" and not _HEAD.fullmatch(head):
        return f"HEAD is {shown(head)}; {HEADS}"
    if head == row[ID]:
        return f"word {head} is its own HEAD; {HEADS}"
    if _is_unnamed(head, relation):
        return f"word {row[ID]} has a HEAD but no DEPREL; name it, or give _ for HEAD"
    return None
