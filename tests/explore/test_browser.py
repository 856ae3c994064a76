"""The page of `attnray explore` in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

import attnray
from attnray.explore.found import ROWS
from attnray.explore.opened import OpenedRun
from tests.builders.browser import PATIENCE, barriers
from tests.builders.explored import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def address(undisturbed: Path) -> Iterator[str]:
    with serving(undisturbed) as port:
        yield f"http://127.0.0.1:{port}"


def test_filters_cases_and_goes_back(address: str, undisturbed: Path, tab: Page) -> None:
    tab.goto(address)
    cases = attnray.open(str(undisturbed)).cases("syntax")
    everything = f"{len(cases):,} of {len(cases):,} cases"
    heading = tab.get_by_role("heading", level=2).first
    expect(heading).to_have_text(everything)
    of_det = sum(each.split(":")[0] == "det" for each in cases["relation"].to_pylist())
    group = tab.locator("#group")
    group.focus()
    group.select_option("det")
    expect(heading).to_have_text(f"{of_det} of {len(cases):,} cases")
    assert tab.url == f"{address}/?of=syntax&group=det"
    expect(tab).to_have_title(re.compile(f"^{of_det} of syntax"))
    expect(group).to_be_focused()
    expect(tab.get_by_role("status").filter(has_text="of")).to_contain_text(f"{of_det} of")
    tab.locator("#word").fill("the")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**&word=the")
    expect(tab.locator(".cases mark").first).to_have_text("the")
    tab.go_back()
    expect(heading).to_have_text(f"{of_det} of {len(cases):,} cases")
    expect(tab.locator("#word")).to_have_value("")
    tab.go_back()
    expect(heading).to_have_text(everything)
    tab.reload()
    expect(heading).to_have_text(everything)


def test_a_case_opens_by_keyboard_with_two_heads_beside_each_other(
    address: str, undisturbed: Path, tab: Page
) -> None:
    query = "?group=obj&a=1-2&a_direction=dependent_to_head&b=2-3&b_direction=head_to_dependent"
    tab.goto(f"{address}/{query}&a_right=yes&b_right=no")
    first = tab.locator(".cases a").first
    text = first.inner_text()
    first.focus()
    tab.keyboard.press("Enter")
    opened = tab.locator("#opened")
    expect(opened).to_be_focused()
    assert " ".join(opened.inner_text().split()) == " ".join(text.split())
    views = tab.locator(".sentence[aria-busy=false]")
    expect(views).to_have_count(2)
    titles = tab.locator(".view h3")
    expect(titles).to_have_text(["Head 1-2, dependent to head", "Head 2-3, head to dependent"])
    words = views.first.get_by_role("option")
    held = views.first.get_by_role("option", selected=True)
    expect(held).to_contain_text(tab.locator("#opened mark").inner_text())
    words.last.click()
    expect(words.last).to_have_attribute("aria-selected", "true")
    tab.keyboard.press("Escape")
    expect(held).to_have_count(0)
    tab.locator("#a").select_option("2-1")
    expect(titles.first).to_have_text("Head 2-1, dependent to head")
    tab.get_by_role("link", name="Next", exact=True).first.click()
    expect(opened).not_to_have_text(text)
    case = parse_qs(urlsplit(tab.url).query)["case"][0]
    tab.get_by_role("link", name="Close", exact=True).click()
    expect(opened).to_have_count(0)
    expect(tab.locator(f"[id='case-{case}']")).to_be_focused()
    tab.go_back()
    expect(opened).to_have_count(1)


def test_what_heads_do_on_all_that_is_found(address: str, tab: Page) -> None:
    tab.goto(f"{address}/?group=xcomp&a=1-1")
    bars = tab.locator(".bars")
    expect(bars).to_have_count(2)
    shares = bars.first.locator("td.number").all_inner_texts()
    assert sum(float(each.removesuffix("%")) for each in shares) == pytest.approx(100, abs=1.5)
    tab.locator("summary").click()
    tab.locator(".heads a").nth(4).click()
    tab.wait_for_url("**a=2-2**")
    expect(tab.locator("#a")).to_have_value("2-2")


def test_what_cannot_be_answered_is_said(address: str, chromium: Browser) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.evaluate("document.querySelector('.cases a').href = '/?case=0.999999'")
        page.locator(".cases a").first.click()
        expect(page.get_by_role("status")).to_have_text(re.compile("there is no such case"))


def test_what_is_read_meanwhile_is_shown(undisturbed: Path, tab: Page) -> None:
    run = OpenedRun(str(undisturbed))
    with serving(run) as port, pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.subjects, "read_on", lambda: None)
        tab.goto(f"http://127.0.0.1:{port}")
        expect(tab.get_by_text("More is being read.")).to_be_visible()
        patch.undo()
        expect(tab.get_by_text("More is being read.")).to_have_count(0)
        expect(tab.locator(".cases li")).to_have_count(ROWS)


def test_nobody_is_kept_from_it(address: str, tab: Page) -> None:
    tab.goto(f"{address}/?group=obj&a=1-2&b=2-3&case=0.0")
    expect(tab.locator(".bars")).to_have_count(4)
    tab.locator("summary").click()
    assert barriers(tab) == []
    tab.emulate_media(color_scheme="dark")
    assert barriers(tab) == []


def test_nothing_is_cut_on_a_telephone(address: str, tab: Page) -> None:
    tab.set_viewport_size({"width": 360, "height": 700})
    tab.goto(f"{address}/?group=obj&a=1-2&b=2-3&case=0.0")
    expect(tab.locator(".bars")).to_have_count(4)
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
