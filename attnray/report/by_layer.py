"""The figures by layer: special tokens and entropy (figures 2 and 4 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from attnray.report.canvas import BLUE, GREEN, GREY, VERMILION, svg
from attnray.report.findings import layer_means
from attnray.report.wording import percent

WIDTH = 6.4
MOST_TICKS = 24


@dataclass(frozen=True)
class Series:
    """A pattern of the table, and how it is drawn."""

    pattern: str
    label: str
    colour: str
    marker: str
    line: str


def _series(*patterns: tuple[str, str]) -> tuple[Series, ...]:
    looks = ((BLUE, "o", "-"), (VERMILION, "^", "--"), (GREEN, "s", ":"))
    return tuple(Series(*pattern, *look) for pattern, look in zip(patterns, looks, strict=False))


SPECIAL_TOKENS = (
    _series(("cls", "to [CLS]"), ("sep", "to [SEP]"), ("punctuation", 'to "." or ","')),
    _series(("other_to_sep", "other to [SEP]"), ("sep_to_sep", "[SEP] to [SEP]")),
    _series(("next", "to next token"), ("previous", "to previous token"), ("self", "to itself")),
)
ENTROPY = _series(("entropy", "all tokens"), ("entropy_from_cls", "from [CLS]"))


def special_tokens(patterns: pa.Table) -> str:
    """Figure 2: how much attention goes to special tokens, punctuation and neighbours."""

    def draw(figure: Figure) -> None:
        for axes, series in zip(_panels(figure, SPECIAL_TOKENS), SPECIAL_TOKENS, strict=True):
            heads_by_layer(axes, patterns, series)
            axes.set_ylabel("share of attention")
            axes.set_ylim(-0.03, 1.03)
            axes.yaxis.set_major_formatter(PercentFormatter(1))
            _legend(axes)

    peaks = [_peak(patterns, each) for panel in SPECIAL_TOKENS for each in panel]
    alt = "Share of attention by layer, a mark for every head and a line for the layer mean. "
    return svg("special_tokens", alt + _listed(peaks), (WIDTH, 8), draw)


def entropy(patterns: pa.Table, uniform: float | None = None) -> str:
    """Figure 4: the entropy of attention, of all tokens and of [CLS] alone.

    Args:
        patterns: the table of that name.
        uniform: the entropy of uniform attention, the mean of ln(length), where it is known.
    """

    def draw(figure: Figure) -> None:
        for axes, each in zip(_panels(figure, ENTROPY), ENTROPY, strict=True):
            if uniform is not None:
                label = "uniform attention"
                axes.axhline(uniform, color=GREY, linestyle="-.", linewidth=1, label=label)
            heads_by_layer(axes, patterns, [each])
            axes.set_ylabel("entropy (nats)")
            _legend(axes)

    alt = "Entropy of attention by layer, a mark for every head and a line for the layer mean. "
    means = [
        f"{each.label}: layer mean {min(values):.2f} to {max(values):.2f} nats"
        for each in ENTROPY
        if (values := layer_means(patterns, each.pattern).values())
    ]
    return svg("entropy", alt + _listed(means), (WIDTH, 5.6), draw)


def _panels(figure: Figure, panels: Sequence[object]) -> list[Axes]:
    """One above the other, with one layer axis, and one scale where they share a unit."""
    column = figure.subplots(len(panels), sharex=True, sharey=True, squeeze=False)[:, 0]
    column[-1].set_xlabel("layer")
    return list(column)


def heads_by_layer(axes: Axes, patterns: pa.Table, series: Sequence[Series]) -> None:
    """A mark for every head and a line through the layer means, patterns side by side."""
    for position, each in enumerate(series):
        chosen = patterns.filter(pc.field("pattern") == each.pattern)
        aside = 0.22 * (position - (len(series) - 1) / 2)
        layers = [layer + aside for layer in chosen["layer"].to_pylist()]
        values = chosen["value"].to_pylist()
        look: dict[str, Any] = {"color": each.colour, "marker": each.marker}
        axes.plot(layers, values, **look, linestyle="", markersize=3.2, alpha=0.55, mew=0)
        means = layer_means(patterns, each.pattern)
        axes.plot(
            [layer + aside for layer in means],
            list(means.values()),
            **look,
            linestyle=each.line,
            linewidth=1.4,
            markersize=5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=each.label,
        )
    last = max(patterns["layer"].to_pylist())
    axes.set_xticks(range(1, last + 1, ceil(last / MOST_TICKS)))
    axes.set_xlim(0.4, last + 0.6)
    axes.grid(axis="x", visible=False)


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)


def _peak(patterns: pa.Table, series: Series) -> str:
    means = layer_means(patterns, series.pattern)
    layer = max(means, key=lambda each: means[each])
    return f"{series.label}: layer mean highest in layer {layer} with {percent(means[layer])}"


def _listed(parts: list[str]) -> str:
    return "; ".join(parts) + "."
