"""Shares of behaviours by relative depth: bars on top of each other, a panel a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from attnray.report import wording
from attnray.report.drawing.behaviours import BEHAVIOUR_LOOKS
from attnray.report.drawing.canvas import WIDTH, svg

PANELS_A_ROW = 4
#: In inches.
PANEL = 1.7
LONGEST_TITLE = 22
#: The depth of a layer, a behaviour, and the share of heads with it.
Share = tuple[float, str, float]


def by_depth(name: str, alt: str, models: Mapping[str, Sequence[Share]]) -> str:
    """A panel for each model.

    Args:
        name: of the figure.
        alt: what it shows, for those who do not see it.
        models: what each has of each behaviour.
    """
    across = min(len(models), PANELS_A_ROW)
    down = -(-len(models) // across)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, (model, shares) in zip(panels, models.items(), strict=False):
            _stacked(axes, shares)
            axes.set_title(wording.short(model, LONGEST_TITLE), fontsize=9, loc="left")
        for axes in panels[len(models) :]:
            axes.set_visible(False)
        figure.supxlabel("relative depth (0: first layer, 1: last)")
        figure.supylabel("share of heads")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=4)

    return svg(name, alt, (WIDTH, 1.1 + PANEL * down), draw)


def _stacked(axes: Axes, shares: Sequence[Share]) -> None:
    """A model's layers as bars."""
    depths = sorted({depth for depth, _, _ in shares})
    width = 0.9 / max(1, len(depths) - 1) if len(depths) > 1 else 0.5
    bottom = np.zeros(len(depths))
    for look in BEHAVIOUR_LOOKS:
        own = {depth: share for depth, behaviour, share in shares if behaviour == look.name}
        heights = np.array([own.get(depth, 0.0) for depth in depths], np.float64)
        bar: dict[str, Any] = {"color": look.colour, "linewidth": 0, "label": look.label}
        axes.bar(depths, heights, width, bottom, **bar)
        bottom += heights
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1), xticks=(0, 0.5, 1))
    axes.grid(axis="x", visible=False)
