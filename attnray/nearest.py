"""The nearest of the names that there are to one that there is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, names: Iterable[str]) -> str:
    """A question that offers the nearest name, for the end of a message: "" where none is near."""
    known = {each.casefold(): each for each in names}
    near = get_close_matches(name.casefold(), known, n=1, cutoff=0.6)
    return f": did you mean {known[near[0]]}?" if near else ""
