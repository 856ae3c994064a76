"""The figure of gradients: a readable axis for whatever the values are."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from attnray.report.importance import importance
from tests.builders import hand_made_heads as made
from tests.builders.layout import faults, measured
from tests.builders.pages import texts

TABLES = {
    "small": made.importance(),
    "one head": made.importance(1, 1),
    "large": made.importance(24, 16),
    "zeros": made.importance(12, 12, sep=0.0, punctuation=0.0),
    "nothing": made.importance(2, 2, sep=0.0, cls=0.0, punctuation=0.0, other=0.0),
    "equal": made.importance(2, 2, sep=0.1, cls=0.1, punctuation=0.1, other=0.1),
    "tiny": made.importance(2, 2, sep=1e-30),
    "huge": made.importance(2, 2, sep=1234567.0),
}
#: Those with a value so much smaller than the largest.
NEAR_ZERO = ("large", "zeros", "nothing", "tiny", "huge")


@pytest.mark.parametrize("name", TABLES)
def test_all_texts_are_readable(name: str) -> None:
    assert faults(lambda: importance(TABLES[name])) == []


@pytest.mark.parametrize("name", TABLES)
def test_the_axis_has_at_least_two_labels(name: str) -> None:
    shown = texts(importance(TABLES[name]))
    labels = shown[shown.index("layer") + 1 : shown.index("mean |∂loss / ∂attention| (nats)")]
    assert len(labels) >= 2
    assert len(labels) == len(set(labels))
    assert ("0" in labels) == (name in NEAR_ZERO)


def test_every_head_and_layer_mean_has_a_mark_inside_the_axes() -> None:
    svg = importance(made.importance(4, 5))
    marks = ET.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}use")
    ticks = 4 + len([text for text in texts(svg) if text.startswith(("0.", "1", "10"))])
    assert len(marks) >= 4 * 5 * 4 + 4 * 4 + 4
    assert len(marks) <= 4 * 5 * 4 + 4 * 4 + 4 + ticks + 4


def test_alt_text_has_the_highest_and_lowest_layer_means() -> None:
    alt = ET.fromstring(importance(made.importance(3, 1))).get("aria-label") or ""
    # Of [SEP], the first target, with one head: 2/4, 2/16, 2/64.
    assert "to [SEP]: layer mean highest in layer 1 with 0.5, lowest in layer 3 with 0.031" in alt


def test_a_target_without_rows_is_left_out() -> None:
    lone = made.importance().filter(made.importance()["target"].to_numpy() == "sep")
    assert "to [CLS]" not in (ET.fromstring(importance(lone)).get("aria-label") or "")
    assert faults(lambda: importance(lone)) == []


def test_layers_are_labelled() -> None:
    shown = [text for text, _ in measured(lambda: importance(made.importance(24, 2)))[0]]
    assert {"1", "12", "24", "layer"} <= set(shown)
