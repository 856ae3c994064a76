"""A real browser, where the machine has one: what it makes of a page."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

#: The names that Debian, Ubuntu, Fedora and Google give it.
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Shown(NamedTuple):
    """A page once its scripts have run, as HTML, and what the browser complained of."""

    text: str
    console: str


def browser() -> str | None:
    """The program, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def shown(page: Path, folder: Path) -> Shown:
    """Open a page without a window; `folder` is for what the browser keeps."""
    program = browser()
    assert program is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    command = [program, *options, f"--user-data-dir={folder}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=300, check=True)
    return Shown(done.stdout.decode(), done.stderr.decode(errors="replace"))
