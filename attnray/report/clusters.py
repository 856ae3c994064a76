"""The figure of heads by divergence: near each other when they attend alike (figure 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from attnray.report.by_layer import WIDTH
from attnray.report.canvas import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, svg

SKY = "#56B4E9"
#: In inches: a line of the keys, a plane, and what stands around them.
KEY_ROW, PLANE, LABELS = 0.18, 2.6, 0.8
#: No plane is less than so high, in widths.
FLATTEST = 0.5
#: Square points; from so many heads on, marks get smaller.
MARK_SIZE, CROWD = 34, 180
#: The light end of the colours is left out: it is hard to see on white.
LIGHTEST = 0.12
MOST_TICKS = 12


@dataclass(frozen=True)
class Behaviour:
    """A behaviour of the table, and how its heads are drawn."""

    name: str
    label: str
    colour: str
    marker: str


#: In the order of the contract. What points to the right looks forward.
BEHAVIOURS = (
    Behaviour("next", "next token", BLUE, ">"),
    Behaviour("previous", "previous token", SKY, "<"),
    Behaviour("cls", "[CLS]", GREEN, "s"),
    Behaviour("sep", "[SEP]", VERMILION, "^"),
    Behaviour("punctuation", '"." or ","', PURPLE, "D"),
    Behaviour("broad", "broad", ORANGE, "o"),
    Behaviour("other", "other", GREY, "x"),
)


def clusters(heads: pa.Table) -> str:
    """Figure 6: every head in the plane of the scaling, by behaviour and by layer.

    Takes `heads`. Distances in the plane stand for Jensen-Shannon divergences, in nats.
    """
    window = _window(heads)
    rows = -(-len(set(heads["behaviour"].to_pylist())) // 2)
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

    counts = [f"{each.label} {n}" for each in BEHAVIOURS if (n := len(_heads_of(heads, each)))]
    alt = (
        f"{len(heads)} heads as points in two dimensions, near each other when their attention "
        "is alike; on the left marked by behaviour, on the right coloured by layer. "
        f"Heads by behaviour: {', '.join(counts)}."
    )
    return svg("clusters", alt, (WIDTH, key + plane + LABELS), draw)


def _heads_of(heads: pa.Table, behaviour: Behaviour) -> pa.Table:
    return heads.filter(pc.field("behaviour") == behaviour.name)


def _by_behaviour(axes: Axes, heads: pa.Table) -> None:
    """Those with a behaviour lie above those without."""
    for level, each in enumerate(reversed(BEHAVIOURS), start=2):
        chosen = _heads_of(heads, each)
        if len(chosen):
            cross = each.marker == "x"
            axes.plot(
                chosen["x"].to_pylist(),
                chosen["y"].to_pylist(),
                linestyle="",
                marker=each.marker,
                markersize=sqrt(_size(heads)) * (0.7 if cross else 1),
                color=each.colour,
                markeredgecolor=each.colour if cross else "white",
                markeredgewidth=0.9 if cross else 0.4,
                zorder=level,
                label=f"{each.label} ({len(chosen)})",
            )


def _behaviour_key(axes: Axes, plane: Axes) -> None:
    handles, labels = plane.get_legend_handles_labels()
    axes.axis("off")
    axes.legend(
        handles[::-1],
        labels[::-1],
        loc="lower center",
        ncols=2,
        fontsize=8,
        handletextpad=0.2,
        columnspacing=1,
        borderaxespad=0,
    )


def _by_layer(axes: Axes, heads: pa.Table) -> ScalarMappable:
    """The deepest layers are the darkest, and lie above."""
    last = max(heads["layer"].to_pylist())
    shades = colormaps["viridis_r"](np.linspace(LIGHTEST, 1, last))
    norm = BoundaryNorm(np.arange(last + 1) + 0.5, last)
    ordered = heads.sort_by([("layer", "ascending"), ("head", "ascending")])
    return axes.scatter(
        ordered["x"].to_pylist(),
        ordered["y"].to_pylist(),
        s=_size(heads),
        c=ordered["layer"].to_pylist(),
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


def _window(heads: pa.Table) -> Bbox:
    """What the planes show: one scale on both sides, since distances are what counts."""
    ends = [_ends(heads[name].to_pylist()) for name in ("x", "y")]
    (x, y) = ((low + high) / 2 for low, high in ends)
    across, up = (0.55 * (high - low) for low, high in ends)
    across = max(across, up) or 1.0
    up = max(up, FLATTEST * across)
    return Bbox([[x - across, y - up], [x + across, y + up]])


def _size(heads: pa.Table) -> float:
    """The area of a mark in square points: smaller where there are many heads."""
    return MARK_SIZE * min(1.0, CROWD / len(heads))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
