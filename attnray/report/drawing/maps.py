"""Single maps: attention as lines between two columns of words."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from attnray.report.drawing.canvas import BLUE, GREY, VERMILION, WIDTH, svg
from attnray.report.wording import legible

#: Weights below this are left out.
LEAST = 0.02
MOST_COLUMNS = 3
# In inches.
CELL = WIDTH / MOST_COLUMNS
MARGIN = 0.08
WORD = 0.74
BESIDE_WORD = 0.04
ROW = 0.18
TITLE, NOTE, FROM_TO = 0.17, 0.35, 0.56
FIRST_ROW = 0.76
BELOW = 0.2
# In points.
TEXT, HEADING = 9, 9.5
WIDEST_LINE = 1.8
#: What is left of the other lines where some are highlighted.
FAINT = 0.35


@dataclass(frozen=True)
class MapPanel:
    """One head's attention in one example.

    `weights` has shape (query, key), over `words` on both sides. `highlight` holds the
    (query, key) pairs to show in another colour, from 0; `note` stands under the title.
    """

    title: str
    words: Sequence[str]
    weights: NDArray[np.float64]
    highlight: frozenset[tuple[int, int]] = frozenset()
    note: str = ""


def attention_lines(name: str, about: str, panels: Sequence[MapPanel]) -> str:
    """Attention from the words on the left to those on the right of each panel.

    A line's darkness and width both grow with the square root of the weight, so that its ink
    grows with the weight itself.

    Args:
        name: of the figure.
        about: what it shows, for those who do not see it.
        panels: at least one.
    """
    columns = ceil(len(panels) / ceil(len(panels) / MOST_COLUMNS))
    rows = [panels[first : first + columns] for first in range(0, len(panels), columns)]
    heights = [FIRST_ROW + BELOW + ROW * (max(len(p.words) for p in row) - 1) for row in rows]

    def draw(figure: Figure) -> None:
        axes = _inches(figure)
        top = 0.0
        for row, height in zip(rows, heights, strict=True):
            left = (WIDTH - columns * CELL) / 2
            for number, panel in enumerate(row):
                _panel(axes, panel, left + number * CELL, top)
            top += height

    titles = ", ".join(f"{p.title} ({p.note})" if p.note else p.title for p in panels)
    alt = (
        f"{about}: lines from attending words on the left to attended words on the right, darker "
        f"and wider with the weight, weights below {LEAST:g} left out. Panels: {titles}."
    )
    return svg(name, legible(alt), (WIDTH, sum(heights)), draw)


def _inches(figure: Figure) -> Axes:
    """Axes over the whole figure, in inches from its upper left corner."""
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    return axes


def _panel(axes: Axes, panel: MapPanel, left: float, top: float) -> None:
    start, end = left + MARGIN + WORD, left + CELL - MARGIN - WORD
    middle, room = left + CELL / 2, CELL - 2 * MARGIN
    _text(axes, (middle, top + TITLE), panel.title, room, "center", HEADING, weight="bold")
    _text(axes, (middle, top + NOTE), panel.note, room, "center", color=GREY)
    first = top + FIRST_ROW
    sides = ("from", start, "right", 0), ("to", end, "left", 1)
    for heading, x, align, side in sides:
        _text(axes, (x, top + FROM_TO), heading, WORD, align, color=GREY, style="italic")
        related = {pair[side] for pair in panel.highlight}
        for row, word in enumerate(panel.words):
            weight = "bold" if row in related else "normal"
            _text(axes, (x, first + ROW * row), word, WORD, align, weight=weight)
    _lines(axes, panel, (start + BESIDE_WORD, end - BESIDE_WORD), first)


def _lines(axes: Axes, panel: MapPanel, ends: tuple[float, float], first: float) -> None:
    """A line for every weight that counts, the strongest and the highlighted on top."""
    found = [(int(q), int(k)) for q, k in np.argwhere(panel.weights >= LEAST)]
    found.sort(key=lambda pair: (pair in panel.highlight, float(panel.weights[pair])))
    # A sum over the pieces of a word may be a rounding error above 1.
    roots = [sqrt(min(1.0, float(panel.weights[pair]))) for pair in found]
    colours = [
        to_rgba(VERMILION, root)
        if pair in panel.highlight
        else to_rgba(BLUE, root * (FAINT if panel.highlight else 1))
        for pair, root in zip(found, roots, strict=True)
    ]
    axes.add_collection(
        LineCollection(
            [[(x, first + ROW * row) for x, row in zip(ends, pair, strict=True)] for pair in found],
            linewidths=[WIDEST_LINE * root for root in roots],
            colors=colours,
        ),
        autolim=False,
    )


def _text(
    axes: Axes,
    place: tuple[float, float],
    text: str,
    room: float,
    align: str,
    size: float = TEXT,
    **look: Any,
) -> None:
    """A text on one line, shortened to its room in inches."""
    font = FontProperties(size=size, weight=look.get("weight"), style=look.get("style"))
    text = _shortened(legible(text), font, 72 * room)
    axes.text(*place, text, ha=align, va="center_baseline", fontsize=size, **look)


def _shortened(text: str, font: FontProperties, points: float) -> str:
    """The text, or as much of it as there is room for, and an ellipsis."""

    def too_large(text: str) -> bool:
        width, height, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
        # Accents can stand on accents.
        return bool(width > points or height > 72 * ROW)

    if not too_large(text):
        return text
    count = bisect_left(range(len(text)), True, key=lambda n: too_large(f"{text[: n + 1]}…"))
    return f"{text[:count]}…"
