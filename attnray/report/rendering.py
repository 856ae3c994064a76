"""Templates: sections and pages as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from attnray.report import bundle, wording
from attnray.report.bundle import embedded
from attnray.report.columns import PageTable
from attnray.report.drawing.canvas import on_a_page
from attnray.report.section import F, Section

FOLDER = Path(__file__).parent


class Rendered(NamedTuple):
    """A section as text, its figures by the names under which they were drawn, data by id.

    `sources` are the tables that it links to.
    """

    section: Section[Any]
    text: Markup
    figures: dict[str, str]
    data: dict[str, Markup]
    sources: list[str]


class Report(NamedTuple):
    """A page, its figures as SVG by name, and the names of the tables that it links to."""

    text: str
    figures: dict[str, str]
    sources: list[str]

    @classmethod
    def of(cls, text: str, parts: Sequence[Rendered]) -> Report:
        """A page of some sections."""
        figures = {name: svg for part in parts for name, svg in part.figures.items()}
        return cls(text, figures, sorted({name for part in parts for name in part.sources}))


def rendered(section: Section[F], findings: F, ending: str = "") -> Rendered:
    """A section of some findings; `ending` tells figures and data from those of its like."""
    drawn = {name: draw(f"{name}{ending}") for name, draw in section.figures(findings).items()}
    # The SVG escaped its texts when it was made.
    figures = {name: Markup(on_a_page(svg)) for name, svg in drawn.items()}
    template = _environment().from_string(section.template.read_text("utf-8"))
    context = section.context(findings)
    text = Markup(template.render({**context, "figures": figures}))
    data = {f"{key}{ending}": embedded(value) for key, value in section.data(findings).items()}
    shown = [each for each in context.values() if isinstance(each, PageTable)]
    sources = [each.source for each in shown if each.source]
    named = {f"{name}{ending}": svg for name, svg in drawn.items()}
    return Rendered(section, text, named, data, sources)


def whole_page(template: str, context: Mapping[str, object]) -> str:
    """A page by the name of its template."""
    return _environment().get_template(template).render(context)


def templates(folder: Path) -> Environment:
    """The templates of a folder: all that they are given is escaped, and is there."""
    return Environment(
        loader=FileSystemLoader(folder, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _environment() -> Environment:
    environment = templates(FOLDER)
    script, style = bundle.script(), bundle.style()
    policy = bundle.policy(script, style)
    environment.globals |= {"script": script, "style": style, "policy": policy}
    environment.globals |= {"wording": wording, "licences": bundle.LICENCES}
    macros: Any = environment.get_template("macros.html.jinja").module
    shared = ("figure", "table", "embedded", "cited")
    environment.globals |= {name: getattr(macros, name) for name in shared}
    return environment
