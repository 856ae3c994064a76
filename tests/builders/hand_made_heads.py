"""Heads, gradients and panels made by hand, as the tables and the store give them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from attnray.metrics.heads import HeadRow
from attnray.metrics.importance import ImportanceRow
from attnray.report.drawing.maps import MapPanel
from tests.builders.hand_made import table

BEHAVIOURS = ("next", "previous", "cls", "sep", "punctuation", "broad", "other")
TARGETS = ("sep", "cls", "punctuation", "other")
HOSTILE_WORDS = (
    "<script>alert(1)</script>",
    "&lt;",
    "$x^2$",
    "a\x1b[31mb",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc",
    "שלום",
    "مرحبا",
    "主语",
    "W" * 300,
    "e" + "\N{COMBINING ACUTE ACCENT}" * 30,
    "two words",
    "",
    "]]>",
    '"',
)


def importance(layers: int = 3, heads: int = 2, **fixed: float) -> pa.Table:
    """Gradients that fall by layer; `fixed` gives targets one value for every head."""
    return table(
        ImportanceRow,
        [
            {"layer": layer, "head": head, "target": target, "examples": 9}
            | {"value": fixed.get(target, 10.0**-number * (1 + head % 3) / 4**layer)}
            for layer in range(1, layers + 1)
            for head in range(1, heads + 1)
            for number, target in enumerate(TARGETS)
        ],
    )


def heads(
    layers: int = 3, heads: int = 4, behaviours: Sequence[str] = BEHAVIOURS, tall: float = 1.0
) -> pa.Table:
    """Heads on a spiral, with the behaviours in turn."""
    return table(
        HeadRow,
        [
            {"layer": layer, "head": head, "behaviour": behaviours[turn % len(behaviours)]}
            | {"x": turn * np.cos(turn) / 100, "y": tall * turn * np.sin(turn) / 100}
            for layer in range(1, layers + 1)
            for head in range(1, heads + 1)
            for turn in [(layer - 1) * heads + head - 1]
        ],
    )


def panel(words: Sequence[str], title: str = "nsubj: head 1-1", note: str = "a note") -> MapPanel:
    """Each word attends to the next one, the last to itself, all others to all a little."""
    count = len(words)
    weights = np.full((count, count), 0.1 / count)
    following = np.minimum(np.arange(count) + 1, count - 1)
    weights[np.arange(count), following] += 0.9
    return MapPanel(title, words, weights, frozenset({(0, min(1, count - 1))}), note)


def panels(count: int = 4) -> list[MapPanel]:
    """Panels of different lengths, hostile words among them."""
    return [
        panel(HOSTILE_WORDS[: 14 - number] + ("word",) * number, title=f"$a_{number}$ <b>: head")
        for number in range(count)
    ]
