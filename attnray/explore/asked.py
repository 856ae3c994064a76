"""What is asked for, as it stands in the address of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from attnray.errors import InputError
from attnray.explore.cases import ALL

#: The answers to whether a head is right; nothing asks for both.
YES, NO = "yes", "no"
#: Where the second head is looked for: in this run where nothing is said.
OTHER = "other"
#: Words and names may have so many letters.
LONGEST = 500
MOST = 2**31 - 1


class Head(NamedTuple):
    """A head, layer and head counted from 1."""

    layer: int
    number: int

    def __str__(self) -> str:
        return f"{self.layer}-{self.number}"


@dataclass(frozen=True)
class Asked:
    """What is asked for; `case` is SHARD.ROW, `page` counts from 1.

    `of` names a subject of the run, `group` a row of its table. Distances are in words, those
    to the left negative. `word`, `goal` and `document` may have `*` for any letters. Head `b` may
    be one of the other run.
    """

    of: str = ""
    group: str = ALL
    least: int | None = None
    most: int | None = None
    word: str = ""
    goal: str = ""
    document: str = ""
    stored: str = ""
    a: Head | None = None
    a_direction: str = ""
    a_right: str = ""
    b: Head | None = None
    b_direction: str = ""
    b_right: str = ""
    b_run: str = ""
    page: int = 1
    case: str = ""

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> Self:
        """What an address asks for.

        Raises:
            InputError: it cannot be asked.
        """
        known = {each.name for each in fields(cls)}
        for name in query:
            if name not in known:
                raise InputError(f"there is no {name} to ask for: {', '.join(sorted(known))} are")
        return cls(**{name: _value(name, text) for name, text in query.items() if text})

    def address(self, **changes: object) -> str:
        """The address that asks for the same, but for some changes."""
        changed = replace(self, **changes) if changes else self  # type: ignore[arg-type]
        given = {each.name: getattr(changed, each.name) for each in fields(changed)}
        said = {
            each.name: str(given[each.name])
            for each in fields(changed)
            if given[each.name] != each.default
        }
        return f"?{urlencode(said)}"


def _value(name: str, text: str) -> Any:
    if len(text) > LONGEST:
        raise InputError(f"{name}= has {len(text)} letters: give {LONGEST} at the most")
    if name in ("least", "most"):
        return _number(name, text, -MOST)
    if name == "page":
        return _number(name, text, 1)
    if name in ("a", "b"):
        found = re.fullmatch(r"([0-9]{1,4})-([0-9]{1,4})", text)
        if not found:
            raise InputError(f"{name}={text} is no head: say LAYER-HEAD, as in 3-1")
        return Head(int(found[1]), int(found[2]))
    allowed = {"a_right": (YES, NO), "b_right": (YES, NO), "b_run": (OTHER,), "stored": (YES,)}
    if name in allowed and text not in allowed[name]:
        raise InputError(f"{name}={text} is not possible: {' or '.join(allowed[name])}")
    return text


def _number(name: str, text: str, least: int) -> int:
    if not re.fullmatch("-?[0-9]{1,10}", text) or not least <= int(text) <= MOST:
        raise InputError(f"{name}={text} is no number from {least} to {MOST}")
    return int(text)
