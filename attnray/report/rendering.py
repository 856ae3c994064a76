"""Templates: sections and pages as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from attnray.report import bundle, wording
from attnray.report.bundle import embedded
from attnray.report.section import F, Section

FOLDER = Path(__file__).parent


class Report(NamedTuple):
    """A page, and its figures as SVG by name."""

    figures: dict[str, str]
    text: str


class Rendered(NamedTuple):
    """A section as text, its figures by the names under which they were drawn, data by id."""

    section: Section[Any]
    text: Markup
    figures: dict[str, str]
    data: dict[str, Markup]


def rendered(section: Section[F], findings: F, ending: str = "") -> Rendered:
    """A section of some findings; `ending` tells figures and data from those of its like."""
    drawn = {name: draw(f"{name}{ending}") for name, draw in section.figures(findings).items()}
    # The SVG escaped its texts when it was made.
    figures = {name: Markup(svg) for name, svg in drawn.items()}
    template = _environment().from_string(section.template.read_text("utf-8"))
    text = Markup(template.render({**section.context(findings), "figures": figures}))
    data = {f"{key}{ending}": embedded(value) for key, value in section.data(findings).items()}
    return Rendered(section, text, {f"{name}{ending}": svg for name, svg in drawn.items()}, data)


def whole_page(template: str, context: Mapping[str, object]) -> str:
    """A page by the name of its template."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script, style = bundle.script(), bundle.style()
    policy = bundle.policy(script, style)
    environment.globals |= {"script": script, "style": style, "policy": policy}
    environment.globals["wording"] = wording
    macros: Any = environment.get_template("macros.html.jinja").module
    shared = ("figure", "table", "embedded")
    environment.globals |= {name: getattr(macros, name) for name in shared}
    return environment
