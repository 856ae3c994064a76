"""Where the texts of a figure stand, measured as it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from attnray.report.drawing import canvas

#: Fine enough for whole pixels not to matter.
DPI = 400
Placed = tuple[str, Bbox]


def measured(draw: Callable[[], object]) -> tuple[list[Placed], Bbox]:
    """Every text that is seen with its box, and the box of the figure, in pixels."""
    found: list[Placed] = []
    whole: list[Bbox] = []

    class Measured(Figure):
        def savefig(self, *args: Any, **kwargs: Any) -> None:
            super().savefig(*args, **kwargs)
            self.set_dpi(DPI)
            agg: Any = FigureCanvasAgg(self)
            seen: list[Text] = []
            plain = Text.draw

            def noted(text: Text, *args: Any, **kwargs: Any) -> None:
                seen.append(text)
                plain(text, *args, **kwargs)

            with mock.patch.object(Text, "draw", noted):
                self.draw_without_rendering()
            shown = {id(t): t for t in seen if t.get_visible() and t.get_text().strip()}
            found.extend((t.get_text(), _box(t, agg.get_renderer())) for t in shown.values())
            whole.append(self.bbox.frozen())

    with mock.patch.object(canvas, "Figure", Measured):
        draw()
    assert found
    return found, whole[0]


def faults(draw: Callable[[], object]) -> list[str]:
    """Texts that overlap, or reach out of the figure."""
    texts, whole = measured(draw)
    names = [text for text, _ in texts]
    low = np.array([box.min for _, box in texts])
    high = np.array([box.max for _, box in texts])
    outside = ((low < whole.min) | (high > whole.max)).any(axis=1)
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    over = np.triu((shared > 0).all(axis=-1), 1)
    return [f"{names[one]!r} is not inside" for (one,) in np.argwhere(outside)] + [
        f"{names[one]!r} overlaps {names[other]!r}" for one, other in np.argwhere(over)
    ]


def _box(text: Text, renderer: Any) -> Bbox:
    # An annotation's own extent would take in its arrow and its point.
    return Text.get_window_extent(text, renderer)
