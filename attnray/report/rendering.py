"""Templates: sections and pages as text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from attnray.report import wording
from attnray.report.section import F, Section

FOLDER = Path(__file__).parent


class Report(NamedTuple):
    """A page, and its figures as SVG by name."""

    figures: dict[str, str]
    text: str


class Rendered(NamedTuple):
    """A section as text, and its figures by the names under which they were drawn."""

    section: Section[Any]
    text: Markup
    figures: dict[str, str]


def rendered(section: Section[F], findings: F, ending: str = "") -> Rendered:
    """A section of some findings; `ending` tells its figures from those of its like."""
    drawn = {name: draw(f"{name}{ending}") for name, draw in section.figures(findings).items()}
    # The SVG escaped its texts when it was made.
    figures = {name: Markup(svg) for name, svg in drawn.items()}
    template = _environment().from_string(section.template.read_text("utf-8"))
    text = Markup(template.render({**section.context(findings), "figures": figures}))
    return Rendered(section, text, {f"{name}{ending}": svg for name, svg in drawn.items()})


def whole_page(template: str, context: Mapping[str, object]) -> str:
    """A page by the name of its template."""
    return _environment().get_template(template).render(context)


def policy(style: str) -> str:
    """What a page with this style may do: load and run nothing, whatever got into it.

    The attributes `style` are those of figures.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src-elem 'sha256-{digest}'; style-src-attr 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


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
    style = (FOLDER / "style.css").read_text("utf-8")
    environment.globals |= {"wording": wording, "style": Markup(style), "policy": policy(style)}
    macros: Any = environment.get_template("macros.html.jinja").module
    environment.globals |= {"figure": macros.figure, "table": macros.table}
    return environment
