"""Tables in a browser: sorted by what numbers are, cut to what is looked for, whole in print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from attnray.metrics.syntax import BestRelationRow
from attnray.report.page import page as page_of
from tests.builders import hand_made
from tests.builders.browser import PATIENCE, barriers, opened, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

SECTION = "section[aria-labelledby=relations]"
#: With these there are enough rows to look for one.
OTHERS = ["acl", "advcl", "amod", "appos"]
ROWS = [
    hand_made.relation("all", 5000, 0.8, p_holm=None),
    hand_made.relation("obj", 1211, 0.74, p_holm=0.01),
    hand_made.relation("nsubj", 900, 0.085, p_holm=0.2),
    hand_made.relation("det", 90, 0.9, p_holm=0.04, difference=-0.05),
    *(
        hand_made.relation(each, 50 - at, 0.2 + at / 10, p_holm=0.3)
        for at, each in enumerate(OTHERS)
    ),
    hand_made.relation("rare", 1, 1.0, **hand_made.UNKNOWN),
]

NAMES = [row["relation"] for row in ROWS]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a table of relations."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    tables = {"syntax_best": hand_made.table(BestRelationRow, ROWS)}
    path.write_text(page_of(tables, hand_made.facts()).text, "utf-8")
    return path


@pytest.fixture(scope="module")
def table(browser: Browser, path: Path) -> Iterator[Locator]:
    """The section of the table."""
    with opened(browser) as page:
        page.goto(path.as_uri())
        section = page.locator(SECTION)
        section.get_by_role("searchbox").wait_for()
        yield section


def shows(section: Locator, *names: str) -> None:
    """Wait until the rows are these, in this order."""
    from playwright.sync_api import expect

    rows = [re.compile(rf"^\s*{name}") for name in names]
    expect(section.locator("tbody th")).to_have_text(rows, timeout=PATIENCE)


def test_numbers_are_sorted_by_what_they_are(table: Locator) -> None:
    head = table.locator("thead th").filter(has_text=re.compile("^Accuracy"))
    head.click()
    shows(table, "nsubj", *OTHERS, "obj", "all", "det", "rare")
    assert head.get_attribute("aria-sort") == "ascending"
    head.click()
    shows(table, "rare", "det", "all", "obj", *OTHERS[::-1], "nsubj")
    head.click()
    shows(table, *NAMES)


def test_they_are_sorted_by_keyboard(table: Locator) -> None:
    button = table.get_by_role("button", name="Cases")
    button.focus()
    button.press("Enter")
    shows(table, "rare", *OTHERS[::-1], "det", "nsubj", "obj", "all")
    button.press("Enter")
    shows(table, *NAMES)


def test_they_are_searched_by_name_and_by_words(table: Locator) -> None:
    field = table.get_by_role("searchbox")
    for text, found in (("direct object", ["obj"]), ("NSUBJ", ["nsubj"]), ("nothing of it", [])):
        field.fill(text)
        shows(table, *found)
    assert table.locator(".tools output").inner_text() == "0 of 9 rows"
    field.fill("")
    assert table.locator(".tools output").inner_text() == "9 rows"


def test_rows_of_few_cases_are_left_out(table: Locator) -> None:
    field = table.get_by_role("spinbutton")
    field.fill("900")
    shows(table, "all", "obj", "nsubj")
    field.fill("")


def test_only_what_passes_holm_is_left(table: Locator) -> None:
    box = table.get_by_role("checkbox")
    box.check()
    shows(table, "obj", "det")
    box.uncheck()


def test_printed_it_stands_whole(table: Locator) -> None:
    box = table.get_by_role("checkbox")
    box.check()
    table.page.pdf()
    whole = (
        "whole = []; addEventListener('beforeprint', () => whole.push(...document.querySelectorAll"
    )
    table.page.evaluate(f"{whole}('section[aria-labelledby=relations] tbody tr')))")
    table.page.pdf()
    assert table.page.evaluate("whole.length") == len(ROWS)
    table.page.emulate_media(media="print")
    table.page.set_viewport_size({"width": 700, "height": 800})
    assert table.page.evaluate("document.documentElement.scrollWidth") == 700
    table.page.emulate_media(media="screen")
    shows(table, "obj", "det")
    box.uncheck()


def test_it_has_no_barriers_and_is_not_cut(table: Locator) -> None:
    page = table.page
    page.set_viewport_size({"width": 360, "height": 800})
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_without_scripts_it_stands_whole(browser: Browser, path: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(path.as_uri())
        section = page.locator(SECTION)
        shows(section, *NAMES)
        assert section.get_by_role("searchbox").count() == 0
