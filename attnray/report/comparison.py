"""The figures of a comparison: models beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from attnray.report import wording
from attnray.report.by_row import ROW_HEIGHT, WIDTH, Mark, Row, legend, rows_on
from attnray.report.canvas import BLUE, GREEN, ORANGE, VERMILION, svg
from attnray.report.clusters import BEHAVIOURS
from attnray.report.findings import ALL, ALL_BUT_PUNCT, legible

#: No more relations, the most frequent ones, and in a figure no more models.
MOST_RELATIONS = 16
MOST_MODELS = 30
LONGEST_NAME = 30
LOOKS = ((BLUE, "o", 4.5), (VERMILION, "|", 9), (GREEN, "^", 6), (ORANGE, "s", 5.5))
PANELS_A_ROW = 4
PANEL = 1.7


def relations(best: pa.Table, name: str) -> str:
    """Models by relations: how often the best head, held out, is right; takes `syntax_best`."""
    rows = [row for row in best.to_pylist() if row["relation"] != ALL_BUT_PUNCT]
    models = list(dict.fromkeys(row["model"] for row in rows))[:MOST_MODELS]
    cases: dict[str, int] = {}
    for row in rows:
        cases[row["relation"]] = max(cases.get(row["relation"], 0), row["total"])
    names = sorted(cases, key=lambda each: (each != ALL, -cases[each]))[: MOST_RELATIONS + 1]
    values = np.full((len(models), len(names)), np.nan)
    for row in rows:
        if row["model"] in models and row["relation"] in names:
            value = row["heldout_accuracy"]
            value = row["accuracy"] if value is None else value
            place = models.index(row["model"]), names.index(row["relation"])
            values[place] = np.nan if value is None else value

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _cells(axes, 100 * values, models, names, "{:.0f}", 100)
        axes.set_title("accuracy of the best head, held out (%)", loc="left", fontsize=9)

    alt = f"Held-out accuracy of the best head, {len(models)} models by {len(names)} relations."
    return svg(name, alt, (WIDTH, 1.4 + 0.26 * len(models)), draw)


def coreference(best: pa.Table, name: str) -> str:
    """Models by how often their best head finds an antecedent; takes `coreference_best`."""
    return _antecedents(best, name, "mention_type", "documents")


def pronouns(best: pa.Table, name: str) -> str:
    """Models by how often their best head chooses the right name; takes `gap_best`."""
    return _antecedents(best, name, "gender", "passages")


def probes(table: pa.Table, name: str) -> str:
    """Models by what their probes reach; takes `probes`, of which the first seed is shown."""
    rows = table.to_pylist()
    first = {model: min(r["seed"] for r in rows if r["model"] == model) for model in _models(rows)}
    rows = [row for row in rows if row["seed"] == first[row["model"]]]
    kinds = list(dict.fromkeys(row["probe"] for row in rows))
    kinds.sort(key=lambda kind: kind != "attention_and_words")
    return _by_model(
        name,
        rows,
        [(kind, "probe") for kind in kinds],
        ("uas", "ci_low", "ci_high"),
        "unlabelled attachment score",
    )


def depth(table: pa.Table, name: str) -> str:
    """The behaviours of heads by relative depth, a panel a model; takes `behaviours_by_depth`."""
    rows = table.to_pylist()
    models = _models(rows)
    across = min(len(models), PANELS_A_ROW)
    down = -(-len(models) // across)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, model in zip(panels, models, strict=False):
            _stacked(axes, [row for row in rows if row["model"] == model])
            axes.set_title(_short(model, 26), fontsize=8, loc="left")
        for axes in panels[len(models) :]:
            axes.set_visible(False)
        figure.supxlabel("relative depth (0: first layer, 1: last)", fontsize=9)
        figure.supylabel("share of heads", fontsize=9)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(BEHAVIOURS), fontsize=8)

    alt = f"The share of heads with each behaviour by relative depth, for {len(models)} models."
    return svg(name, alt, (WIDTH, 0.9 + PANEL * down), draw)


def matches(table: pa.Table, name: str) -> str:
    """How far apart matched heads of two models are; takes `head_matches`."""
    rows = table.to_pylist()
    models = list(dict.fromkeys([*_models(rows), *(row["other_model"] for row in rows)]))
    models = models[:MOST_MODELS]
    values = np.full((len(models), len(models)), np.nan)
    for y, one in enumerate(models):
        for x, other in enumerate(models):
            both = [r for r in rows if {r["model"], r["other_model"]} == {one, other}]
            if both and one != other:
                values[y, x] = 100 * np.mean([row["distance"] for row in both])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        top = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
        _cells(axes, values, models, models, "{:.1f}", top)
        axes.set_title("mean distance of matched heads (points)", loc="left", fontsize=9)

    alt = f"The mean distance between matched heads of each two of {len(models)} models."
    return svg(name, alt, (WIDTH, 1.8 + 0.26 * len(models)), draw)


def _antecedents(best: pa.Table, name: str, column: str, texts: str) -> str:
    """Models by the accuracy of their best head, a mark for each value of a column."""
    rows = best.to_pylist()
    first = min(row["max_tokens"] for row in rows)
    rows = [row for row in rows if row["max_tokens"] == first]
    return _by_model(
        name,
        rows,
        [(kind, column) for kind in dict.fromkeys(row[column] for row in rows)],
        ("accuracy", "ci_low", "ci_high"),
        f"accuracy of the best head, {texts} cut to {first} pieces",
    )


def _by_model(
    name: str,
    rows: list[dict[str, Any]],
    marks: Sequence[tuple[str, str]],
    columns: tuple[str, str, str],
    label: str,
) -> str:
    """A line a model with a mark for each kind of row; the line of the first is its interval."""
    models = _models(rows)[:MOST_MODELS]
    value, low, high = columns
    looks = [
        Mark(f"{wording.spaced(kind)}{' (line: 95% interval)' if not n else ''}", *look)
        for n, ((kind, _), look) in enumerate(zip(marks, cycle(LOOKS), strict=False))
    ]
    lines = []
    for model in models:
        found = {row[key]: row for kind, key in marks for row in rows if row["model"] == model}
        first = found.get(marks[0][0], {})
        lines.append(
            Row(
                label=_short(model, LONGEST_NAME),
                values=[found.get(kind, {}).get(value) for kind, _ in marks],
                interval=(first.get(low), first.get(high)),
                columns=(),
            )
        )

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        rows_on(axes, lines, looks, ())
        axes.set_xlabel(label)
        legend(figure, axes)

    alt = f"{label}: {len(models)} models. The table has the same numbers."
    return svg(name, alt, (WIDTH, 1.2 + 1.3 * ROW_HEIGHT * len(models)), draw)


def _cells(
    axes: Axes,
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    form: str,
    top: float,
) -> None:
    """A matrix with its numbers written in it; nothing where there is none."""
    axes.pcolormesh(values, cmap="Blues", vmin=0, vmax=top, edgecolors="white", linewidth=0.8)
    for (y, x), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if value > 0.6 * top else "black"
            axes.text(
                x + 0.5, y + 0.5, form.format(value), ha="center", va="center", fontsize=7, c=colour
            )
    axes.set_xticks(np.arange(len(columns)) + 0.5, [_short(c, 18) for c in columns], rotation=90)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [_short(row, LONGEST_NAME) for row in rows])
    axes.tick_params(length=0, labelsize=8)
    axes.grid(visible=False)
    axes.invert_yaxis()
    axes.spines[["left", "bottom"]].set_visible(False)


def _stacked(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """A model's layers as bars, the shares of behaviours on top of each other."""
    depths = sorted({row["depth"] for row in rows})
    width = 0.9 / max(1, len(depths) - 1) if len(depths) > 1 else 0.5
    bottom = np.zeros(len(depths))
    for behaviour in BEHAVIOURS:
        own = {row["depth"]: row["share"] for row in rows if row["behaviour"] == behaviour.name}
        share = np.array([own.get(depth, 0.0) for depth in depths], np.float64)
        axes.bar(
            depths, share, width, bottom, color=behaviour.colour, linewidth=0, label=behaviour.label
        )
        bottom += share
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1), xticks=(0, 0.5, 1))
    axes.grid(axis="x", visible=False)


def _models(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in rows))


def _short(name: str, longest: int) -> str:
    name = legible(name)
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
