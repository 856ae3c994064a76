"""A logarithmic axis on which a fall to near zero is seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

from matplotlib.axes import Axes

#: What is smaller than the largest value by more powers of ten is drawn as near zero.
MOST_DECADES = 5


def decades(axes: Axes, values: Sequence[float]) -> None:
    """Whole powers of ten, and 0 where a value is below them."""
    largest = max(values) or 1.0
    top = floor(log10(largest)) + 1
    lowest = min((value for value in values if value > 0), default=largest)
    bottom = max(floor(log10(lowest)), top - MOST_DECADES)
    smallest = 10.0**bottom
    near_zero = min(values) < smallest
    axes.set_yscale("symlog", linthresh=smallest, linscale=0.6)
    axes.set_ylim(-0.15 * smallest if near_zero else smallest, 10.0**top)
    ticks = [10.0**power for power in range(bottom, top + 1)]
    ticks = [0.0, *ticks] if near_zero else ticks
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)
