"""Mentions from brackets: the fields of `Entity=` in any order, or plain ids."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

from attnray.config import GROUPS
from attnray.corpus import bounds
from attnray.corpus.bounds import cut
from attnray.corpus.document import Mention
from attnray.corpus.files.lines import error_at

#: What brackets of CoNLL-U stand behind.
ENTITY = "Entity="
#: A field whose values may have dashes: those that are too many are its own.
FREE = "identity"
#: Words that name types of entities, in GUM, OntoNotes and ACE.
_TYPE = re.compile(
    "person|place|organi[sz]ation|object|event|time|date|substance|animal|plant|abstract|quantity"
    "|product|norp|location|facility|vehicle|weapon|per|loc|org|gpe|fac|veh|wea",
    re.IGNORECASE,
)
#: So few names without a digit, with so many mentions each, are like types, too.
FEW_TYPES, OF_A_TYPE = 30, 4
#: A bracket that opens a mention, closes one or both, and its fields.
_BRACKET = re.compile(r"(?P<opens>\()?(?P<fields>[^()]+)(?P<closes>\))?")
#: A group, and which part of a discontinuous mention it is and of how many.
_GROUP = re.compile(r"(?P<entity>[^\[\]]+)(?:\[(?P<number>\d+)/\d+\])?")


class Named(NamedTuple):
    """What the fields of a bracket say: the entity, None without a group, and the part of it.

    `part` is 0 for a mention in one part. By `keys` a closing bracket may name it: the group, and
    what stands before it.
    """

    entity: str | None
    part: int
    keys: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Order:
    """The order of the fields of a bracket, as `# global.Entity` says it: `etype-GRP-identity`.

    `group` is the place of the group among them, None where there is none.
    """

    group: int | None
    _fields: int
    _after_free: bool

    @classmethod
    @cache
    def of(cls, said: str) -> Order:
        """The order with these names, with dashes between them."""
        names = said.casefold().split("-")
        group = next((place for place, name in enumerate(names) if name in GROUPS), None)
        return cls(group, len(names), FREE in names[:group])

    @lru_cache(4096)  # noqa: B019 - orders are few
    def named(self, content: str) -> Named | None:
        """What fields say; None where the group cannot be read, or there are too many."""
        values = content.split("-")
        if len(values) > bounds.FIELDS or len(content) > bounds.NAME:
            return None
        place = self.group or 0
        if self._after_free:
            place += max(0, len(values) - self._fields)
        group = values[place] if place < len(values) else None
        match = _GROUP.fullmatch(content if group is None else group)
        if match is None:
            return None
        entity, number = match.groups()
        before = accumulate(values[:place], "{}-{}".format)
        keys = tuple(dict.fromkeys((match[0], *before)))
        return Named(None if group is None else entity, int(number[:9]) if number else 0, keys)


#: The order where a file does not say it.
PLAIN = Order(group=0, _fields=1, _after_free=False)


@dataclass(slots=True)
class _Opening:
    """A mention, or a part of a discontinuous one, whose end is still to come unless `closed`."""

    word: int
    line: int
    empty_node: bool
    named: Named
    closed: bool = False


@dataclass
class Entities:
    """Follows the brackets of a document, word by word.

    A closing bracket ends the latest opening of its entity (a part of a discontinuous mention: of
    the same part). It may have the group alone, all fields up to it, or only some of those before
    it. Discontinuous mentions, those that begin or end on an empty node and those without a group
    are counted in `left_out` and are not in `mentions`.

    `order` may change from one bracket to the next; PLAIN is taken where nothing says another, and
    then refused where what it takes for entities looks like types. `column` is what the brackets
    stand behind, for messages.
    """

    path: str
    order: Order = PLAIN
    column: str = ENTITY
    mentions: list[Mention] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    _open: dict[str, list[_Opening]] = field(default_factory=dict)
    _first_line: int = 0

    def read(
        self, value: str, word: int, line: int, empty_node: bool = False, last: int | None = None
    ) -> None:
        """Take in the brackets of a word (from 0 in its document) or an empty node.

        Those of a multiword token stand on its words from `word` to `last`.

        Raises:
            InputError: the brackets are malformed, or one closes what was never opened.
        """
        end, last = 0, word if last is None else last
        self._first_line = self._first_line or line
        while bracket := _BRACKET.match(value, end):
            opens, content, closes = bracket.groups()
            named = self.order.named(content)
            if named is None or not (opens or closes):
                break
            end = bracket.end()
            if self.order.group is None:
                self.left_out["mentions_without_group"] += bool(opens)
            elif opens and closes:
                self._add(named, word, last, empty_node)
            elif opens:
                opening = _Opening(word, line, empty_node, named)
                for key in named.keys:
                    self._open.setdefault(key, []).append(opening)
            else:
                opening = self._latest(named.keys[0], line)
                opening.closed = True
                self._add(opening.named, opening.word, last, empty_node or opening.empty_node)
        if end != len(value) or not value:
            problem = f"{self.column}{cut(value)} has brackets that cannot be read"
            raise error_at(self.path, line, f"{problem}; write (ID, ID) or (ID)")

    def end(self) -> list[Mention]:
        """The mentions of the document, in (start, end) order.

        Raises:
            InputError: a mention was never closed, or entities look like types.
        """
        self._refuse_types()
        for opening in (each for openings in self._open.values() for each in openings):
            if not opening.closed:
                name = cut(opening.named.keys[0])
                problem = f"the mention of {name} that opens here is never closed; write {name})"
                raise error_at(self.path, opening.line, f"{problem} at its last word")
        return sorted(self.mentions)

    def _latest(self, name: str, line: int) -> _Opening:
        """The opening that a closing bracket ends."""
        openings = self._open.get(name, [])
        while openings and openings[-1].closed:
            openings.pop()
        if not openings:
            self._refuse_types()
            problem = f"a mention of {cut(name)} closes that was never opened; write ({cut(name)}"
            raise error_at(self.path, line, f"{problem} at its first word")
        return openings.pop()

    def _add(self, named: Named, first: int, last: int, empty_node: bool) -> None:
        if named.entity is None:
            self.left_out["mentions_without_group"] += 1
        elif named.part:
            # One in several parts counts once, with its first part.
            self.left_out["discontinuous_mentions"] += named.part == 1
        elif empty_node:
            self.left_out["mentions_on_empty_nodes"] += 1
        else:
            self.mentions.append(Mention(first, last, named.entity))

    def _refuse_types(self) -> None:
        """Refuse names of entities that look like types: few of them, with many mentions."""
        if self.order is not PLAIN or self.column != ENTITY:
            return
        openings = (each for openings in self._open.values() for each in openings)
        opened = [each.named.entity or "" for each in openings if not each.closed]
        found = Counter(opened + [mention.entity for mention in self.mentions])
        if not found or any(letter.isdigit() for name in found for letter in name):
            return
        few = len(found) <= FEW_TYPES and found.total() >= OF_A_TYPE * len(found)
        if few or any(map(_TYPE.fullmatch, found)):
            raise error_at(self.path, self._first_line, _like_types(found))


def _like_types(found: Counter[str]) -> str:
    some = cut(", ".join(sorted(found)[:3]))
    return (
        f"{found.total()} mentions of {len(found)} entities ({some}): their names look like types; "
        "say which field of Entity= is the entity, as in corpus.entity=etype-eid, or "
        "corpus.entity=eid where it is the first"
    )
