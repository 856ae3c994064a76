"""Rows with marks on a scale of shares, and texts in columns beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from attnray.report import wording
from attnray.report.drawing.canvas import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    WIDTH,
    svg,
)

#: In inches.
TITLE = 0.7
#: Where the heads of the columns stand, in points above the axes.
HEAD_LINE = 10
#: In points: what a letter of a legend takes on average, and a mark with the space around it.
LETTER, LEGEND_MARK = 5.4, 40
LOOKS = (
    (BLUE, "o", 4.5),
    (VERMILION, "|", 9.0),
    (GREEN, "^", 6.0),
    (ORANGE, "s", 5.5),
    (PURPLE, "x", 6.0),
)


@dataclass(frozen=True)
class Mark:
    """What a row shows one value of."""

    label: str
    colour: str
    marker: str
    size: float
    hollow: bool = False


#: What is left of a best head where it is chosen on other cases than those that score it.
HELD_OUT = Mark("best head, held out", BLUE, "D", 7.5, hollow=True)


@dataclass(frozen=True)
class MarkedRow:
    """A row of a figure: a value for every mark, the interval of the first, and columns."""

    label: str
    values: Sequence[float | None]
    interval: tuple[float | None, float | None]
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class RowPanel:
    """Rows under a title; a line parts the first few from the others."""

    rows: Sequence[MarkedRow]
    title: str = ""
    first: int = 0


def marks(labels: Iterable[str]) -> list[Mark]:
    """A mark for each label, told apart; the first has the interval."""
    first, *others = labels
    named = [f"{first} (line: 95% interval)", *others]
    return [Mark(label, *look) for label, look in zip(named, cycle(LOOKS), strict=False)]


def by_row(
    name: str,
    alt: str,
    label: str,
    marks: Sequence[Mark],
    panels: Sequence[RowPanel],
    columns: Sequence[str] = (),
    around: float = 1.5,
    row: float = 0.2,
    longest: int = 24,
    ticks_above: bool = False,
) -> str:
    """Panels one above the other on one scale.

    Args:
        name: of the figure.
        alt: what it shows, for those who do not see it.
        label: of the scale.
        marks: what the values of the rows are.
        panels: at least one.
        columns: the heads of the columns.
        around: the height of what stands around the rows, in inches.
        row: the height of a row, in inches.
        longest: longer labels of rows are shortened.
        ticks_above: whether the scale stands above the rows too.
    """

    def draw(figure: Figure) -> None:
        ratios = [len(panel.rows) for panel in panels]
        column = figure.subplots(
            len(panels), sharex=True, squeeze=False, gridspec_kw={"height_ratios": ratios}
        )[:, 0]
        for axes, panel in zip(column, panels, strict=True):
            _panel(axes, panel, marks, columns, longest)
            axes.tick_params(labeltop=ticks_above, top=ticks_above)
        column[-1].set_xlabel(label)
        handles, labels = column[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=_fitting(labels))

    height = around + sum(TITLE * bool(panel.title) + row * len(panel.rows) for panel in panels)
    return svg(name, alt, (WIDTH, height), draw)


def _fitting(labels: Sequence[str]) -> int:
    """In how many columns there is room for a legend."""
    for columns in range(min(len(labels), 4), 1, -1):
        letters = sum(max(map(len, part)) for part in np.array_split(labels, columns))
        if LETTER * letters + LEGEND_MARK * columns <= 72 * WIDTH:
            return columns
    return 1


def _panel(
    axes: Axes, panel: RowPanel, marks: Sequence[Mark], columns: Sequence[str], longest: int
) -> None:
    rows = panel.rows
    for position, row in enumerate(rows):
        if position % 2 == 0:
            axes.axhspan(position - 0.5, position + 0.5, color=FAINT, linewidth=0, zorder=0)
        low, high = row.interval
        if low is not None and high is not None:
            axes.plot([low, high], [position] * 2, color=marks[0].colour, linewidth=1.3)
        _beside(axes, row.columns, position, 0)
    _beside(axes, columns, -0.5, HEAD_LINE)
    for number, mark in enumerate(marks):
        _marked(axes, mark, [row.values[number] for row in rows], zorder=10 - number)
    if 0 < panel.first < len(rows):
        axes.axhline(panel.first - 0.5, color=GREY, linewidth=0.8)
    if panel.title:
        axes.set_title(panel.title, loc="left", fontsize=9, pad=HEAD_LINE - 4)
    axes.set_yticks(range(len(rows)), [wording.short(row.label, longest) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1))


def _marked(axes: Axes, mark: Mark, values: Sequence[float | None], zorder: int) -> None:
    """A mark in every row that has a value."""
    points = [(value, row) for row, value in enumerate(values) if value is not None]
    axes.plot(
        [value for value, _ in points],
        [row for _, row in points],
        linestyle="",
        marker=mark.marker,
        markersize=mark.size,
        color=mark.colour,
        markerfacecolor="none" if mark.hollow else mark.colour,
        markeredgewidth=1.6 if mark.marker in "|x" else 0.9,
        zorder=zorder,
        label=mark.label,
    )


def _beside(axes: Axes, texts: Sequence[str], row: float, above: float) -> None:
    """Texts in columns to the right of the axes, so many points above a row."""
    ends = (64, 112, 168) if len(texts) > 2 else (64, 128)
    for text, end in zip(texts, ends, strict=False):
        axes.annotate(
            text,
            (1, row),
            (end, above),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="center",
            color=GREY if above else "black",
            annotation_clip=False,
        )
