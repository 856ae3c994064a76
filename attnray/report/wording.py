"""How numbers and labels are written on the page, in the figures and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from attnray import __version__
from attnray.redacted import legible as legible

NOTHING = "–"
#: How a choice is scored that is not luck.
HELD_OUT = (
    "Held out: documents fall into five folds; for each fold what is best on the other four is "
    "scored on it, and the five are pooled."
)


def percent(value: float | None) -> str:
    """A fraction as a percentage with one decimal."""
    return NOTHING if value is None else f"{value:.1%}"


def interval(low: float | None, high: float | None) -> str:
    """A 95% interval of fractions, without the sign."""
    return NOTHING if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f}"


def plain(value: object) -> str:
    """Anything as it is."""
    return NOTHING if value is None else str(value)


def count(value: int | None) -> str:
    """A count with thousands apart."""
    return NOTHING if value is None else f"{value:,}"


def head(layer: int | None, number: int | None) -> str:
    """A head as the paper writes it."""
    return NOTHING if layer is None or number is None else f"{layer}-{number}"


def factor(value: float | None) -> str:
    """A ratio with two decimals."""
    return NOTHING if value is None else f"{value:.2f}"


def offset(value: int | None) -> str:
    """An offset with its sign, a minus being a minus."""
    return NOTHING if value is None else f"{value:+d}".replace("-", "−")


def points(value: float | None) -> str:
    """A difference of fractions in percent points, with its sign."""
    return NOTHING if value is None else f"{100 * value:+z.1f}".replace("-", "−")


def signed_interval(low: float | None, high: float | None) -> str:
    """The 95% interval of a difference of fractions, in percent points."""
    return NOTHING if low is None or high is None else f"{points(low)} to {points(high)}"


def nats(value: float | None) -> str:
    """An entropy or a divergence, in nats."""
    return NOTHING if value is None else f"{value:.2f} nats"


def p_value(value: float | None) -> str:
    """A p-value: two digits, or that it is small."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def p_equals(value: float | None) -> str:
    """A p-value in a sentence."""
    written = p_value(value)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def citation(models: Sequence[str], corpora: Sequence[str]) -> str:
    """What pages and figures of some models over some corpora are cited by."""
    return (
        f"Attention heads of {', '.join(models)} on {', '.join(corpora)}, measured by attnray "
        f"{__version__} after Clark, Khandelwal, Levy and Manning (2019), What Does BERT Look At? "
        "An Analysis of BERT’s Attention, BlackboxNLP, pages 276–286."
    )


def spaced(name: str) -> str:
    """A name of the tables as words."""
    return name.replace("_", " ")


def short(text: str, longest: int) -> str:
    """A legible text of so many letters at most."""
    text = legible(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
