"""Patterns of files at an address, as in folders: `*`, `**`, `?` and `[…]`."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def matching(pattern: str, paths: Iterable[str]) -> list[str]:
    """Those of the paths that match, in order; `**` stands for any number of folders.

    As in folders, what begins with a dot is only found by a pattern that begins with one.
    """
    parts = pattern.split("/")
    return sorted(path for path in paths if _matches(path.split("/"), parts))


def fixed(pattern: str) -> str:
    """The folder above all that a pattern can match."""
    parts = pattern.split("/")[:-1]
    first = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return "/".join(parts[:first])


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    if not path or not pattern:
        return not path and all(part == "**" for part in pattern)
    here, rest = path[0], path[1:]
    if here.startswith(".") and not pattern[0].startswith("."):
        return pattern[0] == "**" and _matches(path, pattern[1:])
    if pattern[0] == "**":
        return _matches(path, pattern[1:]) or _matches(rest, pattern)
    return fnmatchcase(here, pattern[0]) and _matches(rest, pattern[1:])
