"""Mentions from the brackets of `Entity=`, in CorefUD's forms and with plain ids."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from attnray.corpus.document import Mention
from attnray.corpus.files.lines import error_at

#: An id that opens a mention, closes one or both: the entity, which part of a discontinuous
#: mention it is and of how many, and attributes.
_BRACKET = re.compile(
    r"(?P<opens>\()?(?P<entity>[^()\[\]-]+)(?P<part>\[(?P<number>\d+)/\d+\])?(?:-[^()]*)?"
    r"(?:(?P<closes>\))|(?=\()|\Z)"
)


class _Opening(NamedTuple):
    """A mention, or a part of a discontinuous one, whose end is still to come."""

    word: int
    line: int
    empty_node: bool


@dataclass
class Entities:
    """Follows the brackets of a document, word by word.

    The part of an id before the first `-` is the entity, and a closing bracket ends the latest
    opening of its entity (a part of a discontinuous mention: of the same part). Discontinuous
    mentions, and those that begin or end on an empty node, are counted in `left_out` and are
    not in `mentions`.
    """

    path: str
    mentions: list[Mention] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    _open: dict[str, list[_Opening]] = field(default_factory=dict)

    def read(self, value: str, word: int, line: int, empty_node: bool = False) -> None:
        """Take in the value of `Entity=` of a word (from 0 in its document) or an empty node.

        Raises:
            InputError: the brackets are malformed, or one closes what was never opened.
        """
        end = 0
        while bracket := _BRACKET.match(value, end):
            opens, entity, part, number, closes = bracket.groups()
            if not (opens or closes):
                break
            end = bracket.end()
            name = entity + part if part else entity
            if opens:
                self._open.setdefault(name, []).append(_Opening(word, line, empty_node))
            if closes:
                opening = self._opening(name, line)
                on_empty_node = empty_node or opening.empty_node
                if not part and not on_empty_node:
                    self.mentions.append(Mention(opening.word, word, entity))
                elif not part:
                    self.left_out["mentions_on_empty_nodes"] += 1
                elif number == "1":  # a mention in several parts counts once, with its first part
                    self.left_out["discontinuous_mentions"] += 1
        if end != len(value) or not value:
            problem = f"Entity={value} has brackets that cannot be read; write (ID, ID) or (ID)"
            raise error_at(self.path, line, problem)

    def end(self) -> list[Mention]:
        """The mentions of the document, in (start, end) order.

        Raises:
            InputError: a mention was never closed.
        """
        for name, openings in self._open.items():
            for opening in openings:
                problem = f"the mention of {name} that opens here is never closed; write {name})"
                raise error_at(self.path, opening.line, f"{problem} at its last word")
        return sorted(self.mentions)

    def _opening(self, name: str, line: int) -> _Opening:
        openings = self._open.get(name)
        if not openings:
            problem = f"a mention of {name} closes that was never opened; write ({name}"
            raise error_at(self.path, line, f"{problem} at its first word")
        return openings.pop()
