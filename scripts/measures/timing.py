"""Sides of a measurement in alternation, their seconds, and the rows made of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Generic, TypeVar

import numpy as np

T = TypeVar("T")
#: Prepares a side, and gives what is timed.
Side = Callable[[], Callable[[], T]]
#: CPU time of this process, all its threads together, where everything happens in it.
CPU, WALL = "CPU", "wall"
CLOCKS: dict[str, Callable[[], float]] = {CPU: time.process_time, WALL: time.perf_counter}


class Differs(Exception):  # noqa: N818 (it is a finding)
    """The two sides of a measurement have different results."""


@dataclass(frozen=True)
class Row:
    """A figure: the median of its rounds, the least and the most of them.

    `compared` says which results of the sides were the same.
    """

    part: str
    corpus: str
    measured: str
    median: float
    least: float
    most: float
    unit: str
    goal: str
    clock: str
    compared: str


@dataclass(frozen=True)
class Timed(Generic[T]):
    """The seconds of a side in each round, and what it gave."""

    seconds: list[float]
    results: list[T]

    @property
    def result(self) -> T:
        """What it gave in the last round."""
        return self.results[-1]

    def against(self, other: Timed[Any]) -> list[float]:
        """Its seconds as shares of those of another side, round by round."""
        return [a / b for a, b in zip(self.seconds, other.seconds, strict=True)]

    def rate(self, amount: float) -> list[float]:
        """How much of something it does in a second, round by round."""
        return [amount / each for each in self.seconds]


@dataclass(frozen=True)
class Part:
    """What every row of a part has in common."""

    name: str
    corpus: str
    compared: str
    clock: str = CPU

    def row(self, measured: str, values: Iterable[float], unit: str = "", goal: str = "") -> Row:
        """A row of the values of all rounds."""
        found = [*values]
        spread = (median(found), min(found), max(found))
        return Row(self.name, self.corpus, measured, *spread, unit, goal, self.clock, self.compared)

    def same(self, what: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
        """Hold two sides' results together: counts exactly, sums within a millionth.

        Raises:
            Differs: names the first result that is not the same.
        """
        for name in [*ours, *(theirs.keys() - ours.keys())]:
            if name not in ours or name not in theirs or not _alike(ours[name], theirs[name]):
                raise Differs(f"{self.name}, {self.corpus}: {what}: {name} differs")


def alternated(
    sides: Mapping[str, Side[Any]], rounds: int, clock: str = CPU, warm: bool = True
) -> dict[str, Timed[Any]]:
    """Every side in turn, round after round; `warm` has a first round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    results: dict[str, list[Any]] = {name: [] for name in sides}
    now = CLOCKS[clock]
    for number in range(rounds + warm):
        for name, side in sides.items():
            work = side()
            start = now()
            found = work()
            taken = now() - start
            if number >= warm:
                seconds[name].append(taken)
                results[name].append(found)
    return {name: Timed(seconds[name], results[name]) for name in sides}


def unprepared(work: Callable[[], T]) -> Side[T]:
    """A side that needs no preparation."""
    return lambda: work


def _alike(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    if one.dtype.kind == other.dtype.kind == "f":
        return np.allclose(one, other, rtol=1e-6, atol=1e-6, equal_nan=True)
    return np.array_equal(one, other)
