"""One look for all figures, and their SVG: the same bytes every time, safe inside a page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import Any
from xml.dom import minidom

import matplotlib.style
from matplotlib.figure import Figure

#: Okabe and Ito's colours, told apart by every reader; markers differ too, for grey prints.
BLUE, SKY, VERMILION = "#0072B2", "#56B4E9", "#D55E00"
GREEN, ORANGE, PURPLE = "#009E73", "#E69F00", "#CC79A7"
GREY, FAINT = "#595959", "#F3F3F3"
#: Of all figures, in inches: as much as there is room for beside a caption.
WIDTH = 7.6
#: The colours that are others on a dark page, and its variables for them. What is black has no
#: colour of its own.
_ON_A_PAGE = {
    "#ffffff": "--page",
    GREY.lower(): "--soft",
    FAINT.lower(): "--band",
    "#dddddd": "--line",
    BLUE.lower(): "--drawn-blue",
}
_COLOUR = re.compile(f'(?<=[:] )(?:{"|".join(_ON_A_PAGE)})(?=[;"])')

_STYLE: dict[str, Any] = {
    # Text stays text. The first font comes with matplotlib, so that every machine measures alike.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 9,
    "figure.labelsize": 9,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    # A relation may be called `$x$`.
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.frameon": False,
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def svg(name: str, alt: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    """The SVG of a figure.

    Args:
        name: goes before every id, so that several figures fit into one page.
        alt: what the figure shows, for those who do not see it.
        size: width and height in inches.
        draw: draws on the empty figure.
    """
    buffer = io.StringIO()
    look: list[str | dict[str, Any]] = ["default", {**_STYLE, "svg.hashsalt": name}]
    with matplotlib.style.context(look), warnings.catch_warnings():
        # The reader's browser has the letters that the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    return _embeddable(buffer.getvalue(), name, alt)


def on_a_page(svg: str) -> str:
    """A figure whose ground, lines and text have the colours of the page that it stands on."""
    return _COLOUR.sub(lambda found: f"var({_ON_A_PAGE[found[0]]}, {found[0]})", svg)


def _embeddable(text: str, name: str, alt: str) -> str:
    """The SVG element alone, with ids of its own, touching nothing else on its page."""
    root = minidom.parseString(text).documentElement
    assert root is not None
    for element in list(root.getElementsByTagName("*")):
        # The style rule would hold for the whole page; nothing is drawn where it would be clipped.
        if element.tagName in ("style", "clipPath", "metadata"):
            assert element.parentNode is not None
            element.parentNode.removeChild(element)
            continue
        if element.hasAttribute("clip-path"):
            element.removeAttribute("clip-path")
        if element.hasAttribute("id"):
            element.setAttribute("id", f"{name}-{element.getAttribute('id')}")
        if element.hasAttribute("xlink:href"):
            target = element.getAttribute("xlink:href").removeprefix("#")
            element.setAttribute("xlink:href", f"#{name}-{target}")
    attributes = {"stroke-linejoin": "round", "role": "img", "aria-label": alt}
    for attribute, value in attributes.items():
        root.setAttribute(attribute, value)
    return f"{root.toxml()}\n"
