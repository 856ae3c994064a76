"""Pages with a single component of the report's scripts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attnray.report import bundle

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A component</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head>
<body><main><h1>A component</h1><h2>Of a page</h2><h3>As it stands there</h3>
<div id="view"></div></main>
{data}<script type="module">{script}</script></body></html>
"""
DATA = '<script type="application/json" id="{}">{}</script>\n'


def script_page(folder: Path, begin: str, data: Mapping[str, object]) -> Path:
    """Write a page with an element `view` that a script begins with.

    Args:
        folder: where it is written.
        begin: the script, once all components are there.
        data: what the page has, by id.
    """
    scripts = folder / "scripts"
    scripts.mkdir(exist_ok=True)
    (scripts / "begin.js").write_text(f"start(() => {{ {begin} }});\n")
    script, style = bundle.script(scripts), bundle.style()
    page = PAGE.format(
        policy=bundle.policy(script, style),
        style=style,
        data="".join(DATA.format(name, bundle.embedded(value)) for name, value in data.items()),
        script=script,
    )
    path = folder / "view.html"
    path.write_text(page, "utf-8")
    return path


def view_page(folder: Path, example: Mapping[str, object], **options: object) -> Path:
    """Write a page that shows an example (see `sentence_data`) with options of the view.

    `shows(options)`, in JavaScript, shows it anew.
    """
    place = 'document.getElementById("view")'
    begin = f'window.shows = (options) => void sentenceView({place}, dataOf("example"), options);'
    data = {"example": example, "options": options}
    return script_page(folder, f'{begin} shows(dataOf("options"));', data)
