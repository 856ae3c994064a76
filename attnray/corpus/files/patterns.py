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
        return not path and not pattern
    hidden = path[0].startswith(".") and not pattern[0].startswith(".")
    if pattern[0] == "**":
        here = not hidden and _matches(path[1:], pattern if path[1:] else pattern[1:])
        return here or _matches(path, pattern[1:])
    return not hidden and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])
