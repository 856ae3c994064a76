"""The figure of gradients by layer: how much the loss hangs on attention (figure 3)."""

from __future__ import annotations

from math import floor, log10

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attnray.report.by_layer import WIDTH, Series, heads_by_layer
from attnray.report.canvas import BLUE, GREEN, PURPLE, VERMILION, svg
from attnray.report.findings import layer_means

TARGETS = (
    Series("cls", "to [CLS]", BLUE, "o", "-"),
    Series("sep", "to [SEP]", VERMILION, "^", "--"),
    Series("punctuation", 'to "." or ","', GREEN, "s", ":"),
    Series("other", "to other tokens", PURPLE, "D", "-."),
)
#: What is smaller than the largest value by more powers of ten is drawn as near zero.
MOST_DECADES = 5


def importance(table: pa.Table) -> str:
    """Figure 3: the mean |d loss / d attention| by layer and target; takes `importance`.

    The axis is logarithmic, so that a fall to near zero is seen, and goes on to 0 below the
    smallest power of ten where there are such values.
    """
    # Layer means are taken of patterns.
    gradients = table.rename_columns({"target": "pattern"})

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        heads_by_layer(axes, gradients, TARGETS)
        axes.set_xlabel("layer")
        _values(axes, table["value"].to_pylist())
        axes.set_ylabel("mean |∂loss / ∂attention| (nats)")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)

    alt = (
        "Mean absolute gradient of the masked-LM loss with respect to attention, by layer, "
        "a mark for every head and a line for the layer mean. "
    )
    ranges = [found for target in TARGETS if (found := _range(gradients, target))]
    return svg("importance", f"{alt}{'; '.join(ranges)}.", (WIDTH, 3.8), draw)


def _values(axes: Axes, values: list[float]) -> None:
    """Whole powers of ten, and 0 where a value is below them."""
    largest = max(values) or 1.0
    top = floor(log10(largest)) + 1
    lowest = min((value for value in values if value > 0), default=largest)
    bottom = max(floor(log10(lowest)), top - MOST_DECADES)
    smallest = 10.0**bottom
    near_zero = min(values) < smallest
    axes.set_yscale("symlog", linthresh=smallest, linscale=0.6)
    axes.set_ylim(-0.15 * smallest if near_zero else smallest, 10.0**top)
    ticks = [10.0**power for power in range(bottom, top + 1)]
    ticks = [0.0, *ticks] if near_zero else ticks
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)


def _range(gradients: pa.Table, target: Series) -> str | None:
    means = layer_means(gradients, target.pattern)
    if not means:
        return None
    low, high = (choose(means, key=lambda each: means[each]) for choose in (min, max))
    return (
        f"{target.label}: layer mean highest in layer {high} with {means[high]:.2g}, "
        f"lowest in layer {low} with {means[low]:.2g}"
    )
