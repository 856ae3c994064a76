"""A real browser, where the machine has one: what it makes of a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

#: The names that Debian, Ubuntu, Fedora and Google give it.
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
#: Milliseconds, only to end what hangs.
PATIENCE = 120_000


def browser() -> str | None:
    """The program, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running() -> Iterator[Browser]:
    """A browser that Playwright drives; skips on a machine without one."""
    program = browser()
    if program is None:
        pytest.skip("this machine has no browser: install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=[*QUIET])
        yield started
        started.close()


@contextmanager
def opened(within: Browser) -> Iterator[Page]:
    """An empty page; at its end no script has failed, and its policy has refused nothing."""
    complaints: list[str] = []
    with within.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = listened(context, complaints)
        yield page
    assert complaints == []


def listened(context: BrowserContext, complaints: list[str]) -> Page:
    """An empty page; what the browser complains of is added to a list."""
    context.set_default_timeout(PATIENCE)
    page = context.new_page()

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def barriers(page: Page, within: str | None = None) -> list[str]:
    """What keeps people from using a page, by axe: what it calls serious or critical.

    `within` is a selector of the part that is looked at.
    """
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, within).response["violations"]
    return [
        f"{each['id']}: {node['html']}: {node['failureSummary']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
