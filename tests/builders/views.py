"""A page with nothing but the sentence view of an example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attnray.report import bundle

#: Begins the view, once all scripts are there; tests get at it as `view`.
BEGIN = """
start(() => {
  window.view = sentenceView(document.getElementById("view"), dataOf("example"), dataOf("options"));
});
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A sentence</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head>
<body><main><h1>A sentence</h1><div id="view" aria-busy="true"></div></main>
<script type="application/json" id="example">{example}</script>
<script type="application/json" id="options">{options}</script>
<script type="module">{script}</script></body></html>
"""


def view_page(folder: Path, example: Mapping[str, object], **options: object) -> Path:
    """Write a page that shows an example (see `sentence_data`) with options of the view.

    Args:
        folder: where it is written.
        example: what `sentence_data` gives.
        options: as in JavaScript.
    """
    begin = folder / "scripts"
    begin.mkdir(exist_ok=True)
    (begin / "begin.js").write_text(BEGIN)
    script, style = bundle.script(begin), bundle.style()
    page = PAGE.format(
        policy=bundle.policy(script, style),
        style=style,
        script=script,
        example=bundle.embedded(example),
        options=bundle.embedded(options),
    )
    path = folder / "view.html"
    path.write_text(page, "utf-8")
    return path
