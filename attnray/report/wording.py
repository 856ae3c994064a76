"""How numbers and labels are written on the page, in the figures and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = "–"
ARROWS = {"dependent_to_head": "dependent → head", "head_to_dependent": "head → dependent"}
SHORT = {"dependent_to_head": "d→h", "head_to_dependent": "h→d"}
BASELINES = {
    "nearest": "nearest takes the nearest candidate",
    "head_match": "head match takes the nearest candidate with the same head word",
    "sieve": "sieve takes the nearest with the same words, else with the same head word, else "
    "one that agrees in number, gender and person, else the nearest",
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


BEHAVIOURS = {
    "next": "next token",
    "previous": "previous token",
    "cls": "[CLS]",
    "sep": "[SEP]",
    "punctuation": "“.” and “,”",
    "broad": "broad",
    "other": "none of these",
}
#: Longer lists of heads are not written out.
MOST_HEADS = 12


def short_direction(name: str) -> str:
    """A direction in letters, for narrow columns."""
    return SHORT.get(name, spaced(name))


def behaviour(name: str) -> str:
    """A behaviour in words."""
    return BEHAVIOURS.get(name, spaced(name))


def some_heads(heads: Sequence[tuple[int, int]]) -> str:
    """Heads as the paper writes them, if they are few."""
    return ", ".join(head(*each) for each in heads) if len(heads) <= MOST_HEADS else "many"


def points(value: float | None) -> str:
    """A difference of fractions in percent points, with its sign."""
    return NOTHING if value is None else f"{100 * value:+.1f}".replace("-", "−")


def signed_interval(low: float | None, high: float | None) -> str:
    """The 95% interval of a difference of fractions, in percent points."""
    return NOTHING if low is None or high is None else f"{points(low)} to {points(high)}"


def p_value(value: float | None) -> str:
    """A p-value: two digits, or that it is small."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def baseline(name: str) -> str:
    """What a baseline of coreference does."""
    return BASELINES.get(name, spaced(name))


def spaced(name: str) -> str:
    """A name of the tables as words."""
    return name.replace("_", " ")
