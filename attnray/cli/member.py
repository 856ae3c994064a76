"""A member: one configuration of the command line, one of many in a sweep."""

from __future__ import annotations

from dataclasses import dataclass

from attnray.config import Config


@dataclass(frozen=True)
class Member:
    """A configuration, the overrides it was made of, and whether it is one of a sweep."""

    config: Config
    overrides: list[str]
    swept: bool
