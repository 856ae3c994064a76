"""Attention as lines: every weight that counts, words that stay in their place."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import numpy as np
import pytest

from attnray.report.drawing import maps
from attnray.report.drawing.canvas import BLUE, VERMILION, WIDTH
from attnray.report.drawing.maps import MapPanel, attention_lines
from tests.builders import hand_made_heads as made
from tests.builders.layout import faults, measured
from tests.builders.pages import texts

SVG = "{http://www.w3.org/2000/svg}"
LONG = [f"word{number}" for number in range(128)]
FIGURES = {
    "hostile": made.panels(),
    "one word": [made.panel(["yes"])],
    "no highlight": [MapPanel("broad", ["a", "b"], np.full((2, 2), 0.5))],
    "long": [made.panel(LONG), made.panel(["a", "b"])],
    "wide": [made.panel(["W" * 40] * 9, title="W" * 90, note="M" * 90)] * 7,
    "wide words": [made.panel(["internationalisation"] * 9)] * 3,
}


def drawn(panels: Sequence[MapPanel]) -> str:
    return attention_lines("maps", "Attention", panels)


def lines(svg: str) -> list[dict[str, str]]:
    """The style of each line, and its ends as `d`."""
    found = []
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        if "LineCollection" in (group.get("id") or ""):
            for path in group.iter(f"{SVG}path"):
                style = dict(re.findall(r"([a-z-]+): ([^;]+)", path.get("style") or ""))
                found.append({**style, "d": path.get("d", "")})
    return found


@pytest.mark.parametrize("name", FIGURES)
def test_all_texts_are_readable(name: str) -> None:
    assert faults(lambda: drawn(FIGURES[name])) == []


def test_texts_that_cannot_be_read_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "NOTE", maps.TITLE)
    found = faults(lambda: drawn([made.panel(["a"])]))
    assert found == ["'nsubj: head 1-1' overlaps 'a note'"]
    monkeypatch.setattr(maps, "MARGIN", -0.5)
    assert "'from' is not inside" in faults(lambda: drawn([made.panel(["a"])] * 3))


@pytest.mark.parametrize("count", range(1, 8))
def test_panels_stand_in_a_grid(count: int) -> None:
    assert faults(lambda: drawn(made.panels(count))) == []
    placed, whole = measured(lambda: drawn(made.panels(count)))
    titles = [box for text, box in placed if text.startswith("$a_")]
    assert len(titles) == count
    assert len({round(box.y0) for box in titles}) == -(-count // 3)
    assert whole.width == pytest.approx(WIDTH * 400)


def test_same_bytes_twice() -> None:
    assert drawn(made.panels()) == drawn(made.panels())


def test_words_are_shown_as_they_are_on_both_sides() -> None:
    shown = texts(drawn([made.panel(made.HOSTILE_WORDS)]))
    for word in ("&lt;", "$x^2$", "שלום", "主语", "]]>", "two words"):
        assert shown.count(word) == 2
    assert shown.count("a\N{REPLACEMENT CHARACTER}[31mb") == 2
    assert shown.count("\N{REPLACEMENT CHARACTER}abc") == 2
    assert "<script" not in drawn(made.panels())


def test_long_words_end_in_an_ellipsis() -> None:
    shown = texts(drawn([made.panel(["W" * 300, "w"])]))
    shortened = [text for text in shown if "WW" in text]
    assert len(shortened) == 2
    assert all(re.fullmatch("W{3,9}…", text) for text in shortened)


def test_words_go_from_top_to_bottom_in_both_columns() -> None:
    placed, _ = measured(lambda: drawn([made.panel(LONG[:20])]))
    boxes = [(box.x0, box.y0) for text, box in placed if text.startswith("word")]
    left, right = boxes[:20], boxes[20:]
    for column in (left, right):
        heights = [y for _, y in column]
        assert heights == sorted(heights, reverse=True)
    assert max(x for x, _ in left) < min(x for x, _ in right)


def test_a_line_for_every_weight_that_counts() -> None:
    weights = np.array([[0.5, 0.3, 0.2], [maps.LEAST, 0.97, 0.01], [0.0, 0.019, 0.981]])
    found = lines(drawn([MapPanel("title", ["a", "b", "c"], weights)]))
    assert len(found) == 6
    ends = [map(float, re.findall(r"[ML] [\d.]+ ([\d.]+)", line["d"])) for line in found]
    first, row = 72 * maps.FIRST_ROW, 72 * maps.ROW
    rows = [tuple(round((y - first) / row) for y in pair) for pair in ends]
    # From the weakest to the strongest, (query, key).
    assert rows == [(1, 0), (0, 2), (0, 1), (0, 0), (1, 1), (2, 2)]


def test_ink_grows_with_the_weight() -> None:
    weights = np.array([[0.09, 0.36], [0.81, 1.0000000002]])
    found = lines(drawn([MapPanel("title", ["a", "b"], weights)]))
    inks = [float(d["stroke-width"]) * float(d.get("stroke-opacity", "1")) for d in found]
    assert np.array(inks) / inks[-1] == pytest.approx([0.09, 0.36, 0.81, 1], rel=0.01)
    assert {line["stroke"] for line in found} == {BLUE.lower()}


def test_highlighted_pairs_are_red_bold_and_above_all_others() -> None:
    weights = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    panel = MapPanel("title", ["a", "b", "c"], weights, frozenset({(0, 1), (1, 2)}))
    svg = drawn([panel])
    colours = [line["stroke"] for line in lines(svg)]
    assert colours == [BLUE.lower()] * 7 + [VERMILION.lower()] * 2
    words = [t for t in ET.fromstring(svg).iter(f"{SVG}text") if t.text in ("a", "b", "c")]
    bold = ["font-weight: 700" in (t.get("style") or "") for t in words]
    assert bold == [True, True, False, False, True, True]


def test_alt_text_names_the_panels_and_what_is_left_out() -> None:
    alt = ET.fromstring(drawn([made.panel(["a"], title="next: 1-1")])).get("aria-label")
    assert alt is not None
    assert alt.endswith("weights below 0.02 left out. Panels: next: 1-1 (a note).")
