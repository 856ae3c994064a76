"""How numbers and labels are written on the page, in the figures and on the terminal."""

from __future__ import annotations

NOTHING = "–"
ARROWS = {"dependent_to_head": "dependent → head", "head_to_dependent": "head → dependent"}
BASELINES = {
    "nearest": "nearest takes the nearest candidate",
    "head_match": "head match takes the nearest candidate with the same head word",
}


def percent(value: float | None) -> str:
    """A fraction as a percentage with one decimal."""
    return NOTHING if value is None else f"{value:.1%}"


def interval(low: float | None, high: float | None) -> str:
    """A 95% interval of fractions, without the sign."""
    return NOTHING if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f}"


def count(value: int | None) -> str:
    """A count with thousands apart."""
    return NOTHING if value is None else f"{value:,}"


def head(layer: int | None, number: int | None) -> str:
    """A head as the paper writes it."""
    return NOTHING if layer is None or number is None else f"{layer}-{number}"


def offset(value: int | None) -> str:
    """An offset with its sign, a minus being a minus."""
    return NOTHING if value is None else f"{value:+d}".replace("-", "−")


def direction(name: str) -> str:
    """A direction in words."""
    return ARROWS.get(name, spaced(name))


def baseline(name: str) -> str:
    """What a baseline of coreference does."""
    return BASELINES.get(name, spaced(name))


def spaced(name: str) -> str:
    """A name of the tables as words."""
    return name.replace("_", " ")
