"""The figures: SVG that parses, says what the tables say, and is safe inside a page."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from attnray.metrics.syntax import BestRelationRow
from tests.builders import hand_made, hand_made_heads
from tests.builders.hand_made import figure, some
from tests.builders.pages import texts

MAPS = {"behaviours": hand_made_heads.panels(), "relations": hand_made_heads.panels()}
IMPORTANCE = {"importance": hand_made_heads.importance()}
HEADS = {"heads": hand_made_heads.heads()}
COREFERENCE = some("coreference_best", "coreference_baselines")
FIGURES: dict[str, Callable[[], str]] = {
    "special_tokens": lambda: figure("special_tokens", some("patterns")),
    "entropy": lambda: figure("entropy", some("patterns"), uniform=0.8),
    "syntax": lambda: figure("syntax", some("syntax_best")),
    "coreference": lambda: figure("coreference", COREFERENCE),
    "importance": lambda: figure("importance", IMPORTANCE),
    "clusters": lambda: figure("clusters", HEADS),
    "behaviours": lambda: figure("behaviours", HEADS, MAPS),
    "relations": lambda: figure("relations", some("syntax_best"), MAPS),
}


def of_relations(*rows: hand_made.Row) -> str:
    return figure("syntax", {"syntax_best": hand_made.table(BestRelationRow, list(rows))})


def of_patterns(**size: int) -> str:
    return figure("special_tokens", {"patterns": hand_made.patterns(**size)})


@pytest.mark.parametrize("name", FIGURES)
def test_same_bytes_twice(name: str) -> None:
    assert FIGURES[name]() == FIGURES[name]()


@pytest.mark.parametrize("name", FIGURES)
def test_an_svg_element_that_touches_nothing_else(name: str) -> None:
    svg = FIGURES[name]()
    root = ET.fromstring(svg)
    assert svg.startswith("<svg ")
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert "url(" not in svg
    assert "<style" not in svg
    references = [e.get("{http://www.w3.org/1999/xlink}href") for e in root.iter()]
    ids = [each for e in root.iter() if (each := e.get("id"))]
    assert all(each.startswith(f"{name}-") for each in ids)
    assert {r.removeprefix("#") for r in references if r} <= set(ids)
    assert len(ids) == len(set(ids))


def test_layers_count_from_one() -> None:
    ticks = [text for text in texts(FIGURES["entropy"]()) if text.isdecimal()]
    assert ticks[:3] == ["1", "2", "3"]
    assert "layer" in texts(FIGURES["entropy"]())


def test_many_layers_have_fewer_ticks() -> None:
    shown = texts(of_patterns(layers=48, heads=1))
    ticks = [int(text) for text in shown if text.isdecimal()]
    assert ticks == list(range(1, 49, 2))


def test_special_tokens_has_a_panel_for_each_part_of_figure_2() -> None:
    shown = texts(FIGURES["special_tokens"]())
    assert shown.count("share of attention") == 3
    legends = ("to [CLS]", "to [SEP]", 'to "." or ","', "other to [SEP]", "[SEP] to [SEP]")
    assert set(legends) <= set(shown)
    assert {"to next token", "to previous token", "to itself"} <= set(shown)


def test_every_head_has_a_mark() -> None:
    svg = of_patterns(layers=4, heads=5)
    marks = len(ET.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}use"))
    means, patterns, legend = 4 * 8, 4 * 5 * 8, 8
    ticks = 4 * 3 + 6 * 3
    assert marks == means + patterns + legend + ticks


def test_alt_text_names_the_highest_layer_mean() -> None:
    alt = ET.fromstring(FIGURES["special_tokens"]()).get("aria-label") or ""
    # Layer means of [SEP], the fifth pattern: (4 + 7)/20, (1 + 4)/20, (8 + 1)/20.
    assert "to [SEP]: layer mean highest in layer 1 with 55.0%" in alt


def test_uniform_attention_is_drawn_where_it_is_known() -> None:
    assert "uniform attention" in texts(FIGURES["entropy"]())
    assert "uniform attention" not in texts(figure("entropy", some("patterns")))


def test_syntax_shows_relations_from_the_most_frequent() -> None:
    shown = texts(FIGURES["syntax"]())
    labels = ["all", "all_but_punct", "obj", "punct", hand_made.HOSTILE[:23] + "…"]
    places = [shown.index(label) for label in labels]
    assert places == sorted(places)
    assert "3-12 d→h" in shown
    assert "10-1 h→d" in shown
    assert {"+1", "−2", "5,000", "accuracy"} <= set(shown)


def test_odd_relations_are_shown_as_they_are() -> None:
    svg = FIGURES["syntax"]()
    assert hand_made.ENTITY in texts(svg)
    assert "$x^2$" in texts(svg)
    assert "<script" not in svg


def test_a_figure_needs_no_interval_and_no_held_out_accuracy() -> None:
    assert "all" in texts(of_relations(hand_made.relation("all", 1, **hand_made.UNKNOWN)))


def test_coreference_has_a_panel_for_every_cut() -> None:
    cuts = (128, 512)
    tables = {
        "coreference_best": hand_made.coreference_best(cuts),
        "coreference_baselines": hand_made.coreference_baselines(cuts),
    }
    shown = texts(figure("coreference", tables))
    assert {"documents cut to 128 pieces", "documents cut to 512 pieces"} <= set(shown)
    assert {"nearest", "head match"} <= set(shown)
    assert shown.count("2-1") == 6
    assert shown.count("–") == 2


def test_letters_without_a_glyph_are_no_warning() -> None:
    assert "主语" in texts(of_relations(hand_made.relation("主语", 3)))
