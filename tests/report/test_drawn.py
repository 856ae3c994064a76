"""Figures in a browser: legible at any width, saved as SVG, copied with their citation."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from attnray.report.page import page as page_of
from tests.builders import hand_made, hand_made_heads
from tests.builders.browser import opened, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: The height of every text of a figure as it is displayed, in pixels.
SIZES = """() => { const scale = ({ a, b }) => Math.hypot(a, b);
  return [...document.querySelectorAll("figure > .scroll > svg text")].map(
  (text) => parseFloat(getComputedStyle(text).fontSize) * scale(text.getScreenCTM())); }"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path = tmp_path_factory.mktemp("page") / "report.html"
    maps = {name: hand_made_heads.panels() for name in ("behaviours", "relations")}
    path.write_text(page_of(hand_made.ALL, hand_made.facts(), maps).text, "utf-8")
    with running() as browser, opened(browser) as page:
        page.goto(path.as_uri())
        page.get_by_role("button", name="Save as SVG").first.wait_for()
        yield page


@pytest.mark.parametrize("width", [360, 1280])
def test_text_is_12_pixels_or_more(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 100
    assert min(sizes) > 11.99
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_at_1280_no_figure_is_cut(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    wide = "svg => svg.scrollWidth <= svg.parentElement.clientWidth"
    for drawing in page.locator("figure > .scroll > svg").all():
        assert drawing.evaluate(wide)


def test_each_is_saved_as_it_was_drawn(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save as SVG: Figure: best head per relation").click()
    saving.value.save_as(tmp_path / "saved.svg")
    assert saving.value.suggested_filename == "syntax.svg"
    saved = (tmp_path / "saved.svg").read_text("utf-8")
    drawn = page_of(hand_made.ALL, hand_made.facts()).figures["syntax"]
    citation = ET.fromstring(saved).findtext("{http://www.w3.org/2000/svg}desc") or ""
    assert citation.startswith("Figure: best head per relation.")
    colours = re.compile("(?:fill|stroke): (#[0-9a-f]{6})")
    assert colours.findall(saved) == colours.findall(drawn)
    assert "var(" not in saved


def test_in_the_dark_its_ground_is_that_of_the_page(page: Page) -> None:
    ground = "() => getComputedStyle(document.querySelector('[id=syntax-patch_1] path')).fill"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")


def test_each_is_copied_with_its_citation(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy with citation: Figure: best head per relation")
    button.click()
    page.get_by_text("copied", exact=True).wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith("Figure: best head per relation.")
