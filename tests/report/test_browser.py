"""Pages in a real browser: whatever names come from a corpus or a checkpoint, nothing runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from attnray.metrics.rows import whole_schema
from attnray.metrics.syntax import BestRelationRow
from attnray.report.comparison import comparison
from attnray.report.drawing.maps import MapPanel
from attnray.report.findings import Facts
from attnray.report.page import page
from attnray.report.reproduction import ReproductionRow
from attnray.report.reproduction_page import reproduction_page
from tests.builders import hand_made
from tests.builders.browser import listened
from tests.builders.pages import Page

if TYPE_CHECKING:
    from playwright import sync_api

pytestmark = pytest.mark.slow

RUN = "document.title='owned'"
HOSTILE = (
    f"<script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</title></text></svg><script>{RUN}</script>",
    f'"><img src=x onerror="{RUN}">',
    f"' onmouseover='{RUN}' autofocus onfocus='{RUN}",
    f"<svg onload={RUN}>",
    f"<style onload={RUN}>*{{display:none}}</style>",
    f"]]><script>{RUN}</script><!--",
    f"javascript:{RUN}",
    "<meta http-equiv=refresh content=0;url=about:blank>",
    "<base href=//example.org>",
    "{{ 7 * 7 }}{% endblock %}",
    "&lt;b&gt;",
    "\u202egnp.exe\u2066\u2069",
    "a\x00b\x1b[2J",
)
NAME = "".join(HOSTILE)
#: What may be on a page.
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "nav"),
    *("h1", "h2", "h3", "p", "a", "ul", "li", "strong", "cite", "span", "div", "figure"),
    *("figcaption", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("colgroup", "col", "tfoot", "label", "input", "output"),
    *("svg", "g", "path", "defs", "use", "text", "tspan", "metadata", "script"),
    *("dl", "dt", "dd", "label", "select", "optgroup", "option", "button", "i", "b", "line"),
    *("circle", "dialog"),
}


def renamed(table: pa.Table) -> pa.Table:
    for column, name in (("model", NAME), ("corpus", f"c{NAME}")):
        where = table.column_names.index(column)
        table = table.set_column(where, column, pa.array([name] * len(table), pa.string()))
    return table


def relations() -> list[hand_made.Row]:
    return [hand_made.relation(name, 300 - n) for n, name in enumerate(HOSTILE)]


@cache
def run_page() -> str:
    shown = [*hand_made.RELATIONS, *relations()]
    best = hand_made.table(BestRelationRow, shown)
    made = hand_made.ALL | hand_made.FINDER | {"syntax_best": best}
    made |= {"syntax_gains": hand_made.syntax_gains(shown)}
    tables = {name: renamed(each) for name, each in made.items()}
    panel = MapPanel(NAME, HOSTILE, np.full((len(HOSTILE),) * 2, 0.5), note=NAME)
    facts = Facts(NAME, (NAME,), HOSTILE, dict(zip(HOSTILE, HOSTILE, strict=True)), 3.5)
    return page(tables, facts, {"relations": [panel], "behaviours": [panel]}).text


def comparison_page() -> str:
    names = (NAME, *HOSTILE)
    rows = [{**row, "model": name, "corpus": NAME} for name in names for row in relations()]
    return comparison(
        {"syntax_best": pa.Table.from_pylist(rows, whole_schema(BestRelationRow))}
    ).text


def reproduced_page() -> str:
    row = {"source": "table 1", "quantity": NAME, "unit": "share", "paper": 0.5, "ours": 0.25}
    row |= {"difference": -0.25, "paper_detail": NAME, "our_detail": NAME}
    rows = [{**row, "item": name, "model": NAME, "corpus": NAME} for name in HOSTILE]
    table = pa.Table.from_pylist(rows, whole_schema(ReproductionRow))
    return reproduction_page({"reproduction": table}, NAME)


def title(text: str) -> str:
    found = re.search("<title>(.*?)</title>", text, re.S)
    assert found
    return unescape(found[1])


@pytest.mark.parametrize("make", [run_page, comparison_page, reproduced_page])
def test_hostile_names_are_text_in_a_browser(
    make: Callable[[], str], tab: sync_api.Page, tmp_path: Path
) -> None:
    text = make()
    (tmp_path / "page.html").write_text(text, "utf-8")
    tab.goto((tmp_path / "page.html").as_uri())
    seen = tab.content()
    assert title(seen) == title(text) != "owned"
    found = Page(seen)
    assert {tag for tag, _ in found.tags} <= TAGS
    assert not [name for _, attributes in found.tags for name in attributes if name[:2] == "on"]
    assert len([tag for tag, _ in found.tags if tag == "style"]) == 1
    scripts = [attributes["type"] for tag, attributes in found.tags if tag == "script"]
    assert scripts == [*["application/json"] * (len(scripts) - 1), "module"]
    for name in HOSTILE[:-2]:
        assert name in found.text
    assert not set("\u202e\u2066\x1b\x00") & set(text)


def test_hostile_names_are_text_in_finder_and_card(tab: sync_api.Page, tmp_path: Path) -> None:
    text = run_page()
    (tmp_path / "page.html").write_text(text, "utf-8")
    tab.goto((tmp_path / "page.html").as_uri())
    for option in tab.locator("#finder-item option").all():
        tab.select_option("#finder-item", option.get_attribute("value"))
    tab.locator(".head-map a[href='#3-1']").click()
    tab.get_by_role("button", name="Show all").first.click()
    said = tab.locator("dialog").inner_text()
    for name in HOSTILE[:-3]:
        assert " ".join(name.split()) in " ".join(said.split())
    assert tab.title() == title(text)


def test_the_policy_keeps_what_gets_into_a_page_from_running(
    chromium: sync_api.Browser, tmp_path: Path
) -> None:
    text = run_page()
    path = tmp_path / "page.html"
    inside = f"<script>{RUN}</script><img src=x onerror={RUN}><style>*{{color:red}}</style></body>"
    unguarded = re.sub("<meta http-equiv[^>]*>", "", text)
    seen: list[str] = []
    refused: list[str] = []
    with chromium.new_context() as context:
        page = listened(context, refused)
        for each in (text, unguarded):
            path.write_text(each.replace("</body>", inside), "utf-8")
            page.goto(path.as_uri())
            seen.append(page.title())
    assert seen == [title(text), "owned"], "the browser runs scripts where there is no policy"
    assert sum("Content Security Policy" in each for each in refused) >= 3
