"""Which examples are shown in full: chosen by their words, not by success."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attnray.corpus.example import Example
from attnray.errors import InputError

if TYPE_CHECKING:
    from attnray.reading import RunReader, StoredExample

#: Where no examples are named, the short ones among the first so many.
FIRST_EXAMPLES = 200
FEWEST_WORDS, MOST_WORDS = 8, 16
#: An example that holds what is wanted so often is preferred.
OFTEN = 2


def candidates(reader: RunReader, named: Sequence[int] = ()) -> list[StoredExample]:
    """Examples to choose from, the preferred ones first.

    Args:
        reader: a run, open at the kind of example that is wanted.
        named: numbers of examples; by default the short ones among the first of the run, the
            shortest first.

    Raises:
        InputError: there is no example of such a number.
    """
    for number in named:
        if not 0 <= number < len(reader):
            raise InputError(f"no example {number} to show: they count from 0 to {len(reader) - 1}")
    if named:
        return [reader[number] for number in named]
    first = [reader[number] for number in reader.stored[:FIRST_EXAMPLES]]
    short = [each for each in first if FEWEST_WORDS <= len(each.words) <= MOST_WORDS]
    return sorted(short, key=lambda each: len(each.tokens))


def choose(among: Sequence[StoredExample], count: Callable[[Example], int]) -> StoredExample | None:
    """The first that holds what is counted often, else the first that holds it."""
    counts = [count(each) for each in among]
    for enough in (OFTEN, 1):
        for each, found in zip(among, counts, strict=True):
            if found >= enough:
                return each
    return None
