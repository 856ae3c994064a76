"""Pages with a single component of the report's scripts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attnray.report.sentence_page import component_page


def script_page(folder: Path, begin: str, data: Mapping[str, object]) -> Path:
    """Write a page whose element `view` a script begins with, given some data by id."""
    path = folder / "view.html"
    path.write_text(component_page("A component", "It stands alone.", begin, data), "utf-8")
    return path


def view_page(folder: Path, example: Mapping[str, object], **options: object) -> Path:
    """Write a page that shows an example (see `sentence_data`) with options of the view.

    `shows(options)`, in JavaScript, shows it anew.
    """
    place = 'document.getElementById("view")'
    begin = f'window.shows = (options) => void sentenceView({place}, dataOf("example"), options);'
    data = {"example": example, "options": options}
    return script_page(folder, f'{begin} shows(dataOf("options"));', data)
