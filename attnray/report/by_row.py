"""The figures by row: the best heads beside the baselines, of relations and of mention types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, groupby

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from attnray.report import wording
from attnray.report.canvas import BLUE, FAINT, GREEN, GREY, ORANGE, PURPLE, VERMILION, svg
from attnray.report.findings import ALL, ALL_BUT_PUNCT, legible, mentions, relations

WIDTH = 7.4
ROW_HEIGHT = 0.2
LONGEST_LABEL = 24
#: Where the heads of the columns stand, in points above the axes.
HEAD_LINE = 10


@dataclass(frozen=True)
class Mark:
    """What a row shows one value of."""

    label: str
    colour: str
    marker: str
    size: float
    hollow: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the figure: a value for every mark, the interval of the first, and columns."""

    label: str
    values: Sequence[float | None]
    interval: tuple[float | None, float | None]
    columns: Sequence[str]


HEAD = Mark("best head (line: 95% interval)", BLUE, "o", 4.5)
HELD_OUT = Mark("best head, held out", BLUE, "D", 7.5, hollow=True)
OFFSET = Mark("best fixed offset", VERMILION, "|", 9)
BASELINE_LOOKS = ((VERMILION, "|", 9), (GREEN, "^", 6), (ORANGE, "s", 5.5), (PURPLE, "x", 6))


def syntax(best: pa.Table) -> str:
    """The best head of every relation beside the best fixed offset; takes `syntax_best`."""
    found = relations(best)
    rows = [
        Row(
            label=each.relation,
            values=(each.accuracy, each.heldout_accuracy, each.baseline_accuracy),
            interval=(each.ci_low, each.ci_high),
            columns=(
                f"{wording.head(each.layer, each.head)} {wording.short_direction(each.direction)}",
                wording.offset(each.baseline_offset),
                wording.count(each.total),
            ),
        )
        for each in found
    ]
    together = sum(each.relation in (ALL, ALL_BUT_PUNCT) for each in found)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        rows_on(axes, rows, (HEAD, HELD_OUT, OFFSET), ("best head", "offset", "cases"))
        if 0 < together < len(rows):
            axes.axhline(together - 0.5, color=GREY, linewidth=0.8)
        axes.tick_params(labeltop=True, top=True)
        axes.set_xlabel("accuracy")
        legend(figure, axes)

    alt = (
        f"Accuracy of the best head of {len(rows)} relations with its 95% interval and its "
        "held-out accuracy, beside the best fixed offset. The table has the same numbers."
    )
    return svg("syntax", alt, (WIDTH, 1.5 + ROW_HEIGHT * len(rows)), draw)


def coreference(best: pa.Table, baselines: pa.Table) -> str:
    """The best head of every mention type beside the baselines, a panel for every cut."""
    found = mentions(best, baselines)
    names = list(dict.fromkeys(name for each in found for name in each.baselines))
    looks = zip(names, cycle(BASELINE_LOOKS), strict=False)
    marks = [HEAD, *(Mark(wording.spaced(name), *look) for name, look in looks)]
    panels = {
        max_tokens: [
            Row(
                label=each.mention_type,
                values=(each.accuracy, *(each.baselines.get(name) for name in names)),
                interval=(each.ci_low, each.ci_high),
                columns=(wording.head(each.layer, each.head), wording.count(each.total)),
            )
            for each in group
        ]
        for max_tokens, group in groupby(found, key=lambda each: each.max_tokens)
    }

    def draw(figure: Figure) -> None:
        heights = [len(rows) for rows in panels.values()]
        column = figure.subplots(
            len(panels), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
        )[:, 0]
        for axes, (max_tokens, rows) in zip(column, panels.items(), strict=True):
            rows_on(axes, rows, marks, ("best head", "anaphors"))
            title = f"documents cut to {max_tokens} pieces"
            axes.set_title(title, loc="left", fontsize=9, pad=HEAD_LINE - 4)
        column[-1].set_xlabel("accuracy")
        legend(figure, column[0])

    alt = (
        "Accuracy of the best head of every mention type with its 95% interval, beside "
        f"{len(names)} baselines. The table has the same numbers."
    )
    height = 0.9 + sum(0.7 + 1.6 * ROW_HEIGHT * len(rows) for rows in panels.values())
    return svg("coreference", alt, (WIDTH, height), draw)


def rows_on(
    axes: Axes, rows: Sequence[Row], marks: Sequence[Mark], column_heads: Sequence[str]
) -> None:
    """The rows from top to bottom, with their columns to the right of the axes."""
    for position, row in enumerate(rows):
        if position % 2 == 0:
            axes.axhspan(position - 0.5, position + 0.5, color=FAINT, linewidth=0, zorder=0)
        low, high = row.interval
        if low is not None and high is not None:
            axes.plot([low, high], [position] * 2, color=marks[0].colour, linewidth=1.3)
        _beside(axes, row.columns, position, 0)
    _beside(axes, column_heads, -0.5, HEAD_LINE)
    for number, mark in enumerate(marks):
        known = [(row.values[number], y) for y, row in enumerate(rows)]
        points = [(value, y) for value, y in known if value is not None]
        axes.plot(
            [value for value, _ in points],
            [y for _, y in points],
            linestyle="",
            marker=mark.marker,
            markersize=mark.size,
            color=mark.colour,
            markerfacecolor="none" if mark.hollow else mark.colour,
            markeredgewidth=1.6 if mark.marker in "|x" else 0.9,
            zorder=10 - number,
            label=mark.label,
        )
    axes.set_yticks(range(len(rows)), [_shown(row.label) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1))


def _beside(axes: Axes, texts: Sequence[str], row: float, above: float) -> None:
    """Texts in columns to the right of the axes, so many points above a row."""
    ends = (58, 100, 150) if len(texts) > 2 else (58, 114)
    for text, end in zip(texts, ends, strict=False):
        axes.annotate(
            text,
            (1, row),
            (end, above),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            color=GREY if above else "black",
            annotation_clip=False,
        )


def legend(figure: Figure, axes: Axes) -> None:
    """What the marks are, above the figure."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=min(len(labels), 4))


def _shown(label: str) -> str:
    """A label that is safe and short enough."""
    label = legible(label)
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
