"""Mentions from the brackets of `Entity=`, in CorefUD's forms and with plain ids."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from attnray.corpus.document import Mention
from attnray.corpus.lines import error_at

#: An opening bracket with what follows it, closed at once or not; or a closing bracket.
_BRACKET = re.compile(r"\((?P<opened>[^()]+)(?P<single>\))?|(?P<closed>[^()]+)\)")
#: One part of a discontinuous mention: its number and how many there are.
_PART = re.compile(r"\[(\d+)/(\d+)\]")


@dataclass(frozen=True)
class _Opening:
    """A mention whose end is still to come."""

    word: int
    line: int
    counted: str | None


@dataclass
class Entities:
    """Follows the brackets of a document, word by word.

    The part of an id before the first `-` is the entity, and a closing bracket ends the latest
    opening of its entity. Discontinuous mentions, and those that begin or end on an empty
    node, are counted in `left_out` and not in `mentions`.
    """

    path: str
    mentions: list[Mention] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    _open: dict[str, list[_Opening]] = field(default_factory=dict)

    def read(self, value: str, word: int, line: int, empty_node: bool = False) -> None:
        """Take in the value of `Entity=` of a word (from 0 in its document) or empty node.

        Raises:
            InputError: the brackets are malformed, or one closes what was never opened.
        """
        end = 0
        for bracket in _BRACKET.finditer(value):
            if bracket.start() != end:
                break
            end = bracket.end()
            if bracket["opened"]:
                self._opens(bracket["opened"], word, line, empty_node)
            if bracket["single"] or bracket["closed"]:
                self._closes(bracket["opened"] or bracket["closed"], word, line, empty_node)
        if end != len(value):
            problem = f"Entity={value} has brackets that cannot be read; write (ID, ID) or (ID)"
            raise error_at(self.path, line, problem)

    def end(self) -> list[Mention]:
        """The mentions of the document, in (start, end) order.

        Raises:
            InputError: a mention was never closed.
        """
        for entity, openings in self._open.items():
            for opening in openings:
                problem = f"the mention of {entity} that opens here is never closed"
                raise error_at(self.path, opening.line, problem)
        return sorted(self.mentions)

    def _opens(self, identifier: str, word: int, line: int, empty_node: bool) -> None:
        entity, part = _entity(identifier)
        reason = "mentions_on_empty_nodes" if empty_node else None
        if part is not None:
            # A mention in several parts counts once, with its first part.
            reason = "discontinuous_mentions" if part == 1 else ""
        self._open.setdefault(entity, []).append(_Opening(word, line, reason))

    def _closes(self, identifier: str, word: int, line: int, empty_node: bool) -> None:
        entity, _ = _entity(identifier)
        openings = self._open.get(entity)
        if not openings:
            raise error_at(self.path, line, f"a mention of {entity} closes that was never opened")
        opening = openings.pop()
        reason = opening.counted
        if reason is None and empty_node:
            reason = "mentions_on_empty_nodes"
        if reason is None:
            self.mentions.append(Mention(opening.word, word, entity))
        elif reason:
            self.left_out[reason] += 1


def _entity(identifier: str) -> tuple[str, int | None]:
    """The entity of an id, and which part of a discontinuous mention it is."""
    entity = identifier.partition("-")[0]
    part = _PART.search(entity)
    return (entity[: part.start()], int(part[1])) if part else (entity, None)
