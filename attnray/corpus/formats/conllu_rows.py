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
NAMES = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
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


class Columns(NamedTuple):
    """The columns of a file: what is said of them, how many there are, and where CoNLL-U's stand.

    Of those `places` the file may lack some: None.
    """

    said: str
    number: int
    places: tuple[int | None, ...]

    @classmethod
    def named(cls, names: Sequence[str]) -> Columns:
        """Columns with these names.

        Raises:
            ValueError: ID or FORM is not among them; says so.
        """
        known = [name.upper() for name in names]
        if not {"ID", "FORM"} <= {*known}:
            raise ValueError(f"the columns are {cut(' '.join(names))}: give ID and FORM among them")
        said = f"the first line or # global.columns names {len(names)}"
        places = (known.index(name) if name in known else None for name in NAMES)
        return cls(said, len(names), tuple(places))

    def worded(self, line: str) -> bool:
        """Whether a line is that of a word."""
        place = self.places[ID] or 0
        return "".join(line.split("\t", place + 1)[place : place + 1]).isdecimal()

    def arranged(self, row: Row) -> Row:
        """A row with CoNLL-U's columns, unless it has not so many as it should."""
        if self is CONLLU or len(row) != self.number:
            return row
        return ["_" if place is None else row[place] for place in self.places]


CONLLU = Columns(f"CoNLL-U has {len(NAMES)}", len(NAMES), tuple(range(len(NAMES))))


def words(rows: Sequence[Row], of: Columns = CONLLU) -> Words:
    """The words among the rows of a sentence, which may be none.

    All rows are looked at at once: `fault` tells which one is wrong, and how.

    Raises:
        ValueError: a row is wrong.
    """
    columns = _columns(rows, of)
    if columns[ID] != _numbers(len(rows)):
        if not all(map(_ID.fullmatch, columns[ID])):
            raise ValueError
        rows = [row for row, name in zip(rows, columns[ID], strict=True) if name.isdecimal()]
        if not rows:
            return Words([], [], [], [], [], [])
        columns = _columns(rows, of)
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


def fault(rows: Sequence[Row], of: Columns = CONLLU) -> tuple[int, str]:
    """Which row is the first that is wrong, from 0, and what is wrong with it."""
    count = 0
    for place, row in enumerate(rows):
        if len(row) != of.number:
            return place, f"{len(row)} columns; {of.said}, separated by tabs"
        arranged = of.arranged(row)
        problem = _problem(arranged, count + 1)
        if problem:
            return place, problem
        count += arranged[ID].isdecimal()
    raise AssertionError("no row is wrong")


def _columns(rows: Sequence[Row], of: Columns) -> list[tuple[str, ...]]:
    columns = list(zip(*rows, strict=True))
    if len(columns) != of.number:
        raise ValueError
    if of is CONLLU:
        return columns
    none = ("_",) * len(rows)
    return [none if place is None else columns[place] for place in of.places]


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
