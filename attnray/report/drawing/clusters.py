"""Heads as points in a plane: near each other when they attend alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from attnray.report.drawing.behaviours import BEHAVIOUR_LOOKS, BehaviourLook
from attnray.report.drawing.canvas import GREY, WIDTH, svg

#: In inches: a line of the keys, a plane, and what stands around them.
KEY_ROW, PLANE, LABELS = 0.2, 3.0, 0.8
#: No plane is less than so high, in widths.
FLATTEST = 0.5
#: Square points; from so many heads on, marks get smaller.
MARK_SIZE, CROWD = 34, 180
#: The light end of the colours is left out: it is hard to see on white.
LIGHTEST = 0.12
MOST_TICKS = 12


@dataclass(frozen=True)
class HeadPoint:
    """A head, what it mostly does, and its place in the plane."""

    layer: int
    head: int
    behaviour: str
    x: float
    y: float


def clusters(name: str, heads: Sequence[HeadPoint]) -> str:
    """Every head in the plane, by behaviour on the left and by layer on the right.

    Distances in the plane stand for Jensen-Shannon divergences, in nats.
    """
    window = _window(heads)
    rows = -(-len({each.behaviour for each in heads}) // 2)
    key, plane = KEY_ROW * max(rows, 3), PLANE * window.height / window.width

    def draw(figure: Figure) -> None:
        grid = figure.add_gridspec(2, 2, height_ratios=(key, plane))
        keys = [figure.add_subplot(grid[0, column]) for column in (0, 1)]
        planes = [figure.add_subplot(grid[1, column]) for column in (0, 1)]
        _by_behaviour(planes[0], heads)
        _behaviour_key(keys[0], planes[0])
        _layer_key(figure, keys[1], _by_layer(planes[1], heads))
        for axes in planes:
            axes.set(xlim=window.intervalx, ylim=window.intervaly, aspect="equal")
            axes.locator_params(nbins=5)
            axes.set_xlabel("dimension 1 (nats)")
        planes[0].set_ylabel("dimension 2 (nats)")

    counts = [f"{look.label} {n}" for look in BEHAVIOUR_LOOKS if (n := len(_with(heads, look)))]
    alt = (
        f"{len(heads)} heads as points in two dimensions, near each other when their attention "
        "is alike; on the left marked by behaviour, on the right coloured by layer. "
        f"Heads by behaviour: {', '.join(counts)}."
    )
    return svg(name, alt, (WIDTH, key + plane + LABELS), draw)


def _with(heads: Sequence[HeadPoint], look: BehaviourLook) -> list[HeadPoint]:
    return [each for each in heads if each.behaviour == look.name]


def _by_behaviour(axes: Axes, heads: Sequence[HeadPoint]) -> None:
    """Those with a behaviour lie above those without."""
    for level, look in enumerate(reversed(BEHAVIOUR_LOOKS), start=2):
        if chosen := _with(heads, look):
            cross = look.marker == "x"
            axes.plot(
                [each.x for each in chosen],
                [each.y for each in chosen],
                linestyle="",
                marker=look.marker,
                markersize=sqrt(_size(heads)) * (0.7 if cross else 1),
                color=look.colour,
                markeredgecolor=look.colour if cross else "white",
                markeredgewidth=0.9 if cross else 0.4,
                zorder=level,
                label=f"{look.label} ({len(chosen)})",
            )


def _behaviour_key(axes: Axes, plane: Axes) -> None:
    handles, labels = plane.get_legend_handles_labels()
    axes.axis("off")
    axes.legend(
        handles[::-1],
        labels[::-1],
        loc="lower center",
        ncols=2,
        handletextpad=0.2,
        columnspacing=1,
        borderaxespad=0,
    )


def _by_layer(axes: Axes, heads: Sequence[HeadPoint]) -> ScalarMappable:
    """The deepest layers are the darkest, and lie above."""
    last = max(each.layer for each in heads)
    shades = colormaps["viridis_r"](np.linspace(LIGHTEST, 1, last))
    norm = BoundaryNorm(np.arange(last + 1) + 0.5, last)
    ordered = sorted(heads, key=lambda each: (each.layer, each.head))
    return axes.scatter(
        [each.x for each in ordered],
        [each.y for each in ordered],
        s=_size(heads),
        c=[each.layer for each in ordered],
        cmap=ListedColormap(shades),
        norm=norm,
        edgecolors=GREY,
        linewidths=0.4,
        zorder=2,
    )


def _layer_key(figure: Figure, axes: Axes, points: ScalarMappable) -> None:
    """A bar of the layers' colours in the place of the axes."""
    axes.axis("off")
    place = axes.inset_axes((0, 0.1, 1, 0.24))
    assert isinstance(points.norm, BoundaryNorm)
    last = points.norm.N - 1
    bar = figure.colorbar(points, cax=place, orientation="horizontal", ticklocation="top")
    bar.set_ticks(range(1, last + 1, -(-last // MOST_TICKS)))
    bar.set_label("layer")
    bar.minorticks_off()
    bar.ax.tick_params(length=0)
    bar.ax.grid(visible=False)
    bar.outline.set_visible(False)
    # From 50 layers on matplotlib would make the bar an image.
    assert bar.solids is not None
    bar.solids.set_rasterized(False)


def _window(heads: Sequence[HeadPoint]) -> Bbox:
    """What the planes show: one scale on both sides, since distances are what counts."""
    ends = [_ends([each.x for each in heads]), _ends([each.y for each in heads])]
    (x, y) = ((low + high) / 2 for low, high in ends)
    across, up = (0.55 * (high - low) for low, high in ends)
    across = max(across, up) or 1.0
    up = max(up, FLATTEST * across)
    return Bbox([[x - across, y - up], [x + across, y + up]])


def _size(heads: Sequence[HeadPoint]) -> float:
    """The area of a mark in square points: smaller where there are many heads."""
    return MARK_SIZE * min(1.0, CROWD / len(heads))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
