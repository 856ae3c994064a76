"""Special tokens and entropy: where attention goes, by layer (figures 2 and 4 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnray.metrics.patterns import PatternRow
from attnray.report.drawing.by_layer import LayerPanel, Series, by_layer, series, shares
from attnray.report.findings import Findings, Source
from attnray.report.section import Draw, Section, template_of
from attnray.report.wording import count, head, percent

PATTERNS = Source("patterns", PatternRow)
#: What each panel shows, from top to bottom.
SHARES = (
    {"cls": "to [CLS]", "sep": "to [SEP]", "punctuation": 'to "." or ","'},
    {"other_to_sep": "other to [SEP]", "sep_to_sep": "[SEP] to [SEP]"},
    {"next": "to next token", "previous": "to previous token", "self": "to itself"},
)
ENTROPIES = {"entropy": "all tokens", "entropy_from_cls": "from [CLS]"}
#: A head with more than this share on one neighbour follows the words (section 3 of the paper).
HALF = 0.5
#: More heads are not named.
MOST_HEADS = 6


def special_tokens(name: str, rows: Sequence[PatternRow]) -> str:
    """How much attention goes to special tokens, punctuation and neighbours."""
    panels = [LayerPanel("share of attention", _series(rows, each), shares) for each in SHARES]
    peaks = [
        f"{each.label}: layer mean highest in layer {layer} with {percent(mean)}"
        for panel in panels
        for each in panel.series
        for layer, mean in [each.highest]
    ]
    alt = "Share of attention by layer, a mark for every head and a line for the layer mean. "
    return by_layer(name, f"{alt}{'; '.join(peaks)}.", 8, panels)


def entropy(name: str, rows: Sequence[PatternRow], uniform: float | None = None) -> str:
    """The entropy of attention, of all tokens and of [CLS] alone.

    Args:
        name: of the figure.
        rows: those of `patterns`.
        uniform: the entropy of uniform attention, the mean of ln(length), where it is known.
    """
    level = None if uniform is None else ("uniform attention", uniform)
    both = _series(rows, ENTROPIES)
    ranges = [
        f"{each.label}: layer mean {min(means):.2f} to {max(means):.2f} nats"
        for each in both
        if (means := each.means.values())
    ]
    alt = "Entropy of attention by layer, a mark for every head and a line for the layer mean. "
    panels = [LayerPanel("entropy (nats)", [each], level=level) for each in both]
    return by_layer(name, f"{alt}{'; '.join(ranges)}.", 5.6, panels)


def figures(findings: Findings) -> Mapping[str, Draw]:
    """Both figures."""
    rows = PATTERNS.rows(findings.tables)
    return {
        "special_tokens": lambda name: special_tokens(name, rows),
        "entropy": lambda name: entropy(name, rows, findings.facts.uniform),
    }


def sentences(findings: Findings) -> list[str]:
    """Where special tokens get most attention, and how many heads follow a neighbour."""
    rows = PATTERNS.rows(findings.tables)
    examples = f"{count(rows[0].examples)} examples of {PATTERNS.corpus(findings.tables)}"
    cls, sep = (each.highest for each in _series(rows, {"cls": "", "sep": ""}))
    following = [
        f"to the {neighbour} token in {_named(heads_above(rows, neighbour, HALF))}"
        for neighbour in ("previous", "next")
    ]
    return [
        f"By the mean over {examples} and the heads of a layer, [CLS] gets most attention in layer "
        f"{cls[0]} ({percent(cls[1])}), [SEP] in layer {sep[0]} ({percent(sep[1])}).",
        f"On average more than half of the attention goes {following[0]}, {following[1]}.",
    ]


def heads_above(rows: Sequence[PatternRow], pattern: str, share: float) -> list[tuple[int, int]]:
    """The heads, as (layer, head), whose value of a pattern is above a share."""
    return sorted(
        (row.layer, row.head)
        for row in rows
        if row.pattern == pattern and row.value is not None and row.value > share
    )


def _named(heads: Sequence[tuple[int, int]]) -> str:
    named = ", ".join(head(*each) for each in heads)
    shown = f" ({named})" if 0 < len(heads) <= MOST_HEADS else ""
    return f"{len(heads) or 'no'} {'head' if len(heads) == 1 else 'heads'}{shown}"


def _series(rows: Sequence[PatternRow], labels: Mapping[str, str]) -> list[Series]:
    return series(labels, [(row.pattern, row.layer, row.value) for row in rows])


def context(findings: Findings) -> Mapping[str, object]:
    """What was averaged over, and the entropy of uniform attention."""
    return {
        "examples": PATTERNS.rows(findings.tables)[0].examples,
        "corpus": PATTERNS.corpus(findings.tables),
        "uniform": findings.facts.uniform,
    }


SECTION = Section(
    "patterns",
    "Special tokens and entropy",
    template_of(__file__),
    needs=[PATTERNS],
    figures=figures,
    sentences=sentences,
    context=context,
)
