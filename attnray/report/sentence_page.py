"""A page with nothing but the sentence view of an example."""

from __future__ import annotations

from collections.abc import Mapping

from attnray.report import bundle
from attnray.report.rendering import whole_page

#: Begins the view: tests get at it as `view`.
BEGIN = (
    'window.view = sentenceView(document.getElementById("view"), '
    'dataOf("example"), dataOf("options"));'
)
#: Without contents on a side, and fit for a frame.
ALONE = "body { display: block; padding: 1rem; } h1 { margin: 0; font-size: 1.25rem; }"


def sentence_page(title: str, note: str, example: Mapping[str, object], **options: object) -> str:
    """A page that needs nothing beside itself.

    Args:
        title: what it is of.
        note: what is said below.
        example: what `sentence_data` gives.
        options: of the view, see `scripts/sentence.js`.
    """
    return component_page(title, note, BEGIN, {"example": example, "options": options})


def component_page(title: str, note: str, begin: str, data: Mapping[str, object]) -> str:
    """A page with a single component, which needs nothing beside itself.

    Args:
        title: what it is of.
        note: what is said below.
        begin: the script that begins it, in the element `view`.
        data: what scripts are given, by id.
    """
    script, style = bundle.component(begin), bundle.style() + ALONE
    context = {
        "title": title,
        "note": note,
        "script": script,
        "style": style,
        "policy": bundle.policy(script, style),
        "data": {name: bundle.embedded(value) for name, value in data.items()},
    }
    return whole_page("sentence_page.html.jinja", context)
