"""The head finder and the cards in a real browser: what they say is what the tables have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from attnray.report import wording
from attnray.report.page import page as page_of
from tests.builders import hand_made
from tests.builders.browser import barriers
from tests.builders.pages import Page as Read

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

SHOWN: tuple[tuple[Literal["light", "dark"], str], ...] = (
    ("light", "relation:obj"),
    ("dark", "pattern:cls"),
)
#: The text of the line about the head that is pointed at, of every head in their order.
LINES = """links => links.map(link => {
  link.focus();
  return document.querySelector(".finder-line").textContent;
})"""

#: How far down the middle of each part of an element is.
CENTRES = """element => [...element.childNodes].map(part => {
  const range = document.createRange();
  range.selectNode(part);
  const { top, height } = range.getBoundingClientRect();
  return top + height / 2;
})"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("finder") / "page.html"
    path.write_text(page_of(hand_made.FINDER, hand_made.facts()).text, "utf-8")
    return path.as_uri()


@pytest.fixture
def page(tab: Page, address: str) -> Page:
    tab.goto(address)
    return tab


def numbers(row: dict[str, Any]) -> str:
    """What the line says of a row of `syntax_gains`."""
    head = f"Head {wording.head(row['layer'], row['head'])}"
    if row["difference"] is None:
        return f"{head}: nothing was measured."
    direction = {"d": "d→h", "h": "h→d"}[row["direction"][0]]
    p_value = row["p_value"] if row["p_holm"] is None else row["p_holm"]
    interval = wording.signed_interval(row["difference_ci_low"], row["difference_ci_high"])
    test = f" (95% interval {interval}), {wording.p_equals(p_value)}" if p_value else ""
    return (
        f"{head}: {wording.percent(row['accuracy'])} of {wording.count(row['total'])} cases "
        f"({direction}), {wording.points(row['difference'])} points{test}."
    )


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('href')"))


@pytest.mark.parametrize("relation", ["obj", "all", "rare", hand_made.HOSTILE])
def test_every_head_says_the_numbers_of_the_table(page: Page, relation: str) -> None:
    page.select_option("#finder-item", f"relation:{relation}")
    rows = hand_made.FINDER["syntax_gains"].to_pylist()
    own = [numbers(row) for row in rows if row["relation"] == relation]
    assert page.eval_on_selector_all(".head-map a", LINES) == own


def test_colours_are_those_of_the_gains(page: Page) -> None:
    page.select_option("#finder-item", "relation:obj")
    classes = page.eval_on_selector_all(".head-map a", "all => all.map(link => link.className)")
    rows = [r for r in hand_made.FINDER["syntax_gains"].to_pylist() if r["relation"] == "obj"]
    for row, each in zip(rows, classes, strict=True):
        low, high = row["difference_ci_low"], row["difference_ci_high"]
        assert ("gain" in each.split()) == (row["difference"] >= 0)
        assert ("faint" in each.split()) == (low is None or low <= 0 <= high)
        assert ("significant" in each.split()) == (row["p_holm"] == 0.012)
    most = page.locator(".head-map a.most")
    assert most.get_attribute("href") == "#3-1"
    filled = "link => getComputedStyle(link).backgroundColor"
    assert most.evaluate(filled) != page.locator(".head-map a[href='#1-1']").evaluate(filled)


def test_the_answer_stands_above_and_names_heads_by_links(page: Page) -> None:
    page.select_option("#finder-item", "relation:obj")
    first = page.locator(".finder-first")
    assert first.inner_text().startswith("Head 3-1 finds 73.3% of 1,211 cases")
    assert first.locator("a").get_attribute("href") == "#3-1"
    page.select_option("#finder-item", "pattern:entropy")
    assert " nats" in first.inner_text()
    assert "no baseline" in page.locator(".finder-legend").inner_text()


def test_the_ends_of_the_scale_stand_beside_it(page: Page) -> None:
    for item in ("relation:obj", "pattern:cls"):
        page.select_option("#finder-item", item)
        ends = page.locator(".finder-legend .ends")
        centres = ends.evaluate(CENTRES)
        assert len(centres) == 3
        assert max(centres) - min(centres) < 5
    assert page.locator(".finder-legend .ramp").evaluate("ramp => ramp.clientWidth") > 100


def test_arrows_walk_and_enter_opens_a_card(page: Page) -> None:
    page.locator(".head-map a").first.focus()
    for key, where in [
        ("ArrowLeft", "#1-1"),
        ("ArrowRight", "#1-2"),
        ("ArrowDown", "#2-2"),
        ("End", "#2-12"),
        ("ArrowUp", "#1-12"),
        ("Control+End", "#10-12"),
        ("Home", "#10-1"),
        ("Control+Home", "#1-1"),
    ]:
        page.keyboard.press(key)
        assert focused(page) == where
    assert page.locator(".head-map a[tabindex='0']").count() == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Head 1-2").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('dialog').open")
    assert focused(page) == "#1-2", "the focus is where it was"
    assert page.url.partition("#")[2].startswith("find=")


def test_a_card_has_the_numbers_of_the_tables(page: Page, address: str) -> None:
    page.goto(f"{address}#3-1")
    card = page.locator("dialog[open]")
    card.get_by_role("button", name="Show all").first.click()
    read = Read(f"<main>{card.inner_html()}</main>")
    for row in hand_made.FINDER["syntax_gains"].to_pylist():
        if (row["layer"], row["head"]) == (3, 1) and row["relation"] in ("all", "obj", "rare"):
            shown = next(cells for cells in read.rows if cells[0].split()[:1] == [row["relation"]])
            p_value = wording.p_value(row["p_holm"])
            interval = wording.signed_interval(row["difference_ci_low"], row["difference_ci_high"])
            assert shown[1:8] == [
                wording.count(row["total"]),
                "h→d",
                wording.percent(row["accuracy"]),
                wording.percent(row["baseline_accuracy"]),
                wording.points(row["difference"]),
                interval,
                p_value,
            ]
    assert "3-2 0.001" in card.inner_text()


def test_cards_are_reached_from_the_address_the_page_and_each_other(
    page: Page, address: str
) -> None:
    page.goto(f"{address}#find=relation%3Apunct")
    assert page.input_value("#finder-item") == "relation:punct"
    page.locator("section[aria-labelledby=relations] td a[href='#3-1']").first.click()
    page.get_by_role("heading", name="Head 3-1").wait_for()
    page.locator(".nearest a").first.click()
    page.get_by_role("heading", name="Head 3-2").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Head 3-1").wait_for()
    page.go_back()
    page.wait_for_function("!document.querySelector('dialog').open")
    assert page.input_value("#finder-item") == "relation:punct"
    page.goto(f"{address}#relations")
    page.select_option("#finder-item", "relation:obj")
    assert page.url == f"{address}#find=relation%3Aobj"
    page.goto(f"{address}#find=%")
    page.goto(f"{address}#99-1")
    assert not page.locator("dialog").is_visible(), "there is no such head"


def test_nothing_is_cut_and_nothing_in_the_way(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    for scheme, item in SHOWN:
        page.emulate_media(color_scheme=scheme)
        page.select_option("#finder-item", item)
        assert barriers(page, "[data-finder]") == []
    page.locator(".head-map a").first.click()
    page.get_by_role("heading", name="Head 1-1").wait_for()
    assert barriers(page, "dialog") == []
    dialog = "document.querySelector('dialog')"
    assert page.evaluate(f"{dialog}.scrollWidth - {dialog}.clientWidth") == 0


def test_without_scripts_the_answers_are_text(chromium: Browser, address: str) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        answers = page.locator("[data-answers]")
        assert answers.is_visible()
        assert "obj: direct object" in answers.inner_text()
        assert "Head 3-1 finds 73.3% of 1,211 cases" in answers.inner_text()
