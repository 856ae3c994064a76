"""Texts as they may be shown: addresses without their secrets, and only letters."""

from __future__ import annotations

import re
from typing import Any, TypeVar

T = TypeVar("T")

#: An address in a text, up to the punctuation of the text itself.
_ADDRESS = re.compile(r"([A-Za-z][\w+.-]*://)([^\s'\"<>]*[^\s'\"<>:;,.)\]}])")
#: A colon behind which no port stands: a password begins there, with a slash in it.
_NO_PORT = re.compile(r":(?!\d*$)")

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def redacted(content: T) -> T:
    """A text, or what has texts in it, with its addresses as they may be shown.

    User and password go, and of `?…` and `#…` of a web address all but the mark. In keys of object
    stores and in patterns `?` is a character like others, where no value is given behind it.
    """
    found: Any = content
    if isinstance(content, str):
        found = _ADDRESS.sub(_shown, content)
    elif isinstance(content, dict):
        found = {key: redacted(value) for key, value in content.items()}
    elif isinstance(content, list | tuple):
        found = type(content)(map(redacted, content))
    return found  # type: ignore[no-any-return]


def legible(text: str) -> str:
    """The text with a mark for every character that only steers a terminal or breaks XML.

    Those stay that join letters or keep them apart: words of Persian and of Indian languages.
    """
    return "".join(
        c if c.isprintable() or c in _JOINERS else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def _shown(match: re.Match[str]) -> str:
    scheme, rest = match.groups()
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        rest = rest[authority.rindex("@") + 1 :]
    elif _NO_PORT.search(authority):
        rest = rest.rpartition("@")[2]
    web = scheme.lower() in ("http://", "https://")
    path, mark, query = (*re.split("([?#])" if web else "([?])", rest, maxsplit=1), "", "")[:3]
    secret = query if web else "=" in query
    return f"{scheme}{path}{mark}…" if secret else f"{scheme}{rest}"
