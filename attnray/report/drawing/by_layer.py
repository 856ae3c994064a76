"""Values of heads by layer: a mark for every head, and a line through the means of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from attnray.report.drawing.canvas import BLUE, GREEN, GREY, PURPLE, VERMILION, WIDTH, svg

MOST_TICKS = 24
#: Colour, marker and line.
Look = tuple[str, str, str]
LOOKS: tuple[Look, ...] = (
    (BLUE, "o", "-"),
    (VERMILION, "^", "--"),
    (GREEN, "s", ":"),
    (PURPLE, "D", "-."),
)
#: Sets the axis of values up for some values.
Scale = Callable[[Axes, Sequence[float]], None]


@dataclass(frozen=True)
class Series:
    """A value of every head, as (layer, value)."""

    label: str
    look: Look
    values: Sequence[tuple[int, float]]

    @property
    def means(self) -> dict[int, float]:
        """The mean over the heads of each layer."""
        layers: dict[int, list[float]] = {}
        for layer, value in sorted(self.values):
            layers.setdefault(layer, []).append(value)
        return {layer: fmean(values) for layer, values in layers.items()}

    @property
    def highest(self) -> tuple[int, float]:
        """The layer with the highest mean, and that mean."""
        means = self.means
        layer = max(means, key=lambda each: means[each])
        return layer, means[layer]


def series(
    labels: Mapping[str, str], values: Iterable[tuple[str, int, float | None]]
) -> list[Series]:
    """Series of values that are given as (what, layer, value), with a label for each of them."""
    found: dict[str, list[tuple[int, float]]] = {what: [] for what in labels}
    for what, layer, value in values:
        if what in found and value is not None:
            found[what].append((layer, value))
    looks = zip(labels.items(), LOOKS, strict=False)
    return [Series(label, look, found[what]) for (what, label), look in looks]


def plain(axes: Axes, values: Sequence[float]) -> None:
    """An axis that is as long as the values need."""


def shares(axes: Axes, values: Sequence[float]) -> None:
    """An axis from nothing to all, in percent."""
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))


@dataclass(frozen=True)
class LayerPanel:
    """Series side by side; `level` is a value with its label that is drawn over all layers."""

    label: str
    series: Sequence[Series]
    scale: Scale = plain
    level: tuple[str, float] | None = None


def by_layer(name: str, alt: str, height: float, panels: Sequence[LayerPanel]) -> str:
    """Panels one above the other, with one axis of layers, and one scale.

    Args:
        name: of the figure.
        alt: what it shows, for those who do not see it.
        height: in inches.
        panels: at least one.
    """

    def draw(figure: Figure) -> None:
        column = figure.subplots(len(panels), sharex=True, sharey=True, squeeze=False)[:, 0]
        column[-1].set_xlabel("layer")
        for axes, panel in zip(column, panels, strict=True):
            _panel(axes, panel)

    return svg(name, alt, (WIDTH, height), draw)


def _panel(axes: Axes, panel: LayerPanel) -> None:
    if panel.level:
        label, value = panel.level
        axes.axhline(value, color=GREY, linestyle="-.", linewidth=1, label=label)
    for position, each in enumerate(panel.series):
        _heads(axes, each, 0.22 * (position - (len(panel.series) - 1) / 2))
    last = max(layer for each in panel.series for layer, _ in each.values)
    axes.set_xticks(range(1, last + 1, ceil(last / MOST_TICKS)))
    axes.set_xlim(0.4, last + 0.6)
    axes.grid(axis="x", visible=False)
    panel.scale(axes, [value for each in panel.series for _, value in each.values])
    axes.set_ylabel(panel.label)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)


def _heads(axes: Axes, series: Series, aside: float) -> None:
    """The marks and the line of a series, a little beside the layers."""
    colour, marker, line = series.look
    look: dict[str, Any] = {"color": colour, "marker": marker}
    layers, values = [layer + aside for layer, _ in series.values], [v for _, v in series.values]
    axes.plot(layers, values, **look, linestyle="", markersize=3.2, alpha=0.55, mew=0)
    axes.plot(
        [layer + aside for layer in series.means],
        list(series.means.values()),
        **look,
        linestyle=line,
        linewidth=1.4,
        markersize=5,
        markeredgecolor="white",
        markeredgewidth=0.5,
        label=series.label,
    )
