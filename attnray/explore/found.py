"""What is found: the cases that are asked for, and which of them heads have right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from attnray.errors import InputError
from attnray.explore.asked import MOST, OTHER, YES, Asked, Head
from attnray.explore.cases import ALL, Cases
from attnray.explore.columns import Bits, Numbers
from attnray.explore.opened import OpenedRun
from attnray.explore.pairing import counterparts
from attnray.explore.subjects import Subject

T = TypeVar("T")

#: So many cases are on a page.
ROWS = 25


@dataclass(frozen=True)
class Shown:
    """A head that is shown: of which run, and scored in which direction.

    `there` has the place of each case among those of its `run`, -1 where it has none; None where
    that is the run that is asked.
    """

    run: OpenedRun
    cases: Cases
    head: Head
    direction: str
    there: Numbers | None = None

    @cached_property
    def right(self) -> Bits:
        """Whether it is right, for each case that is asked for."""
        right = self.cases.is_right(self.cases.candidate(*self.head, self.direction))
        return right if self.there is None else right[self.there] & self.known

    @cached_property
    def known(self) -> Bits:
        """Whether its run has each case."""
        size = len(self.cases if self.there is None else self.there)
        return np.ones(size, bool) if self.there is None else self.there >= 0

    def case(self, case: int) -> int | None:
        """A case in its run, None where there is none."""
        if self.there is None:
            return case
        return int(self.there[case]) if self.there[case] >= 0 else None


@dataclass(frozen=True)
class Found:
    """The answer to what is asked.

    `wanted` are the cases that are asked for whatever heads say, `chosen` the numbers of those
    that are also right or wrong as asked.
    """

    asked: Asked
    subject: Subject
    cases: Cases
    a: Shown
    b: Shown | None
    wanted: Bits
    chosen: NDArray[np.int64]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-len(self.chosen) // ROWS))

    @property
    def page(self) -> int:
        """The one that is shown: the last where there are not so many."""
        return min(self.asked.page, self.pages)

    @property
    def listed(self) -> list[int]:
        """The cases of the page."""
        page: list[int] = self.chosen[(self.page - 1) * ROWS : self.page * ROWS].tolist()
        return page

    @property
    def heads(self) -> list[Shown]:
        """The heads that are shown."""
        return [self.a] if self.b is None else [self.a, self.b]

    def neighbour(self, case: int, step: int) -> int | None:
        """The chosen case before one (-1), or after it (+1)."""
        at = int(np.searchsorted(self.chosen, case, "left" if step < 0 else "right"))
        at -= step < 0
        return int(self.chosen[at]) if 0 <= at < len(self.chosen) else None


def find(runs: Sequence[OpenedRun], asked: Asked) -> Found:
    """The answer to what is asked of a run, and of another one beside it.

    Raises:
        InputError: it cannot be asked of them.
    """
    run = runs[0]
    known = run.subjects.by_name
    subject = _one_of("of", asked.of, known) if asked.of else _first(run)
    cases = subject.cases
    if asked.group != ALL:
        _one_of("group", asked.group, cases.groups)
    a = _shown(run, cases, asked.group, asked.a, asked.a_direction)
    b = _head_b(runs, subject.name, cases, asked, a)
    wanted = _wanted(run, cases, asked)
    chosen = wanted.copy()
    for name, right, head in (("a", asked.a_right, a), ("b", asked.b_right, b)):
        if right and (head is None or cases.metric is None):
            raise InputError(f"{name}_right={right} is of a head and of cases: say which, {name}=")
        if right and head:
            chosen &= (head.right == (right == YES)) & head.known
    return Found(asked, subject, cases, a, b, wanted, np.flatnonzero(chosen))


def _first(run: OpenedRun) -> Subject:
    """The first subject that has cases, else the first without a metric."""
    subjects = run.subjects.by_name.values()
    return next(each for each in subjects if each.metric is None or len(each.cases))


def _head_b(
    runs: Sequence[OpenedRun], name: str, cases: Cases, asked: Asked, a: Shown
) -> Shown | None:
    """The second head: of the other run, by default the first one's counterpart, or of this one.

    None where none is asked for, or the other run has nothing of this name.
    """
    if asked.b_run == OTHER:
        if len(runs) < 2:
            raise InputError(f"b_run={OTHER}: no other run was given")
        if name not in runs[1].subjects.by_name:
            return None
        others = runs[1].subjects.by_name[name].cases
        there = counterparts(cases, others)
        return _shown(runs[1], others, asked.group, asked.b or a.head, asked.b_direction, there)
    if asked.b is None:
        return None
    return _shown(runs[0], cases, asked.group, asked.b, asked.b_direction)


def _shown(
    run: OpenedRun,
    cases: Cases,
    group: str,
    head: Head | None,
    direction: str,
    there: Numbers | None = None,
) -> Shown:
    """A head as it is asked for; where it is not said, what has most of the group right."""
    layers, heads = run.manifest.heads
    if head and not (1 <= head.layer <= layers and 1 <= head.number <= heads):
        raise InputError(f"{run.name} has no head {head}: its last one is {layers}-{heads}")
    if direction:
        _one_of("direction", direction, dict.fromkeys(cases.directions))
    if cases.metric is None:
        return Shown(run, cases, head or Head(1, 1), "", there)
    best, direction = cases.best(group, head, direction)
    return Shown(run, cases, Head(*best), direction, there)


def _wanted(run: OpenedRun, cases: Cases, asked: Asked) -> Bits:
    """Which cases are asked for, whatever heads say."""
    wanted = np.ones(len(cases), bool) if asked.group == ALL else cases.of_group(asked.group)
    if asked.least is not None or asked.most is not None:
        distance = cases.distance
        wanted &= cases.goal >= 0
        wanted &= distance >= (-MOST if asked.least is None else asked.least)
        wanted &= distance <= (MOST if asked.most is None else asked.most)
    if asked.word:
        wanted &= cases.with_word(asked.word)
    if asked.goal:
        wanted &= cases.with_goal(asked.goal)
    if asked.document:
        named = cases.texts.documents.like(asked.document)[cases.texts.document]
        wanted &= named[cases.example]
    stored = run.stored(cases) if asked.stored else None
    return wanted if stored is None else wanted & stored


def _one_of(name: str, value: str, known: Mapping[str, T]) -> T:
    if value not in known:
        raise InputError(f"{name}={value} is not there: {', '.join(known)} are")
    return known[value]
