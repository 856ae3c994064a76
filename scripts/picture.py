"""README's picture of a report: `python scripts/picture.py RUN_DIR` writes docs/report.png anew."""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, ViewportSize, sync_playwright

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "report.png"
SIZE = ViewportSize(width=1280, height=800)
MARGIN = 16


def picture(report: Path) -> bytes:
    """Which head finds objects, as a browser without a window shows it."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{report.resolve().as_uri()}#find=relation:obj")
        box = page.locator("[aria-labelledby=finder]").bounding_box()
        assert box is not None
        clip = FloatRect(
            x=box["x"] - MARGIN,
            y=box["y"] + 2,
            width=box["width"] + 2 * MARGIN,
            height=box["height"] - 2 * MARGIN,
        )
        taken = page.screenshot(clip=clip, full_page=True)
        browser.close()
    return taken


if __name__ == "__main__":
    taken = Image.open(BytesIO(picture(Path(sys.argv[1]) / "report.html")))
    taken.convert("RGB").quantize(128).save(PICTURE, optimize=True)
