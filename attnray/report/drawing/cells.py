"""A matrix of values, each written in its cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from attnray.report import wording
from attnray.report.drawing.canvas import WIDTH, svg

#: In inches.
ROW_HEIGHT = 0.26
LONGEST_ROW, LONGEST_COLUMN = 26, 18
#: Of numbers, whatever the ground of the page: cells have a ground of their own.
PAPER, INK = "#fefefe", "#111111"


def cells(
    name: str,
    alt: str,
    title: str,
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    form: str = "{:.0f}",
    top: float | None = None,
    around: float = 1.4,
) -> str:
    """A matrix with its numbers written in it; nothing where there is none.

    Args:
        name: of the figure.
        alt: what it shows, for those who do not see it.
        title: stands above it.
        values: (row, column), NaN where there is no number.
        rows: their labels.
        columns: their labels.
        form: how a number is written.
        top: the value of the darkest cells; by default the largest there is.
        around: the height of what stands around the cells, in inches.
    """
    known = values[np.isfinite(values)]
    darkest = top or float(max(known, default=1.0))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.pcolormesh(
            values, cmap="Blues", vmin=0, vmax=darkest, edgecolors="white", linewidth=0.8
        )
        _numbers(axes, values, form, 0.6 * darkest)
        labels = [wording.short(each, LONGEST_COLUMN) for each in columns]
        axes.set_xticks(np.arange(len(columns)) + 0.5, labels, rotation=90)
        labels = [wording.short(each, LONGEST_ROW) for each in rows]
        axes.set_yticks(np.arange(len(rows)) + 0.5, labels)
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.invert_yaxis()
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_title(title, loc="left", fontsize=9)

    return svg(name, alt, (WIDTH, around + ROW_HEIGHT * len(rows)), draw)


def _numbers(axes: Axes, values: NDArray[np.float64], form: str, dark: float) -> None:
    """Each number in the middle of its cell, light where the cell is dark."""
    for (y, x), value in np.ndenumerate(values):
        if np.isfinite(value):
            look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9}
            colour = PAPER if value > dark else INK
            axes.text(x + 0.5, y + 0.5, form.format(value), **look, c=colour)
