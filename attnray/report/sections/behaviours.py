"""Behaviours: what each head mostly does (figures 1 and 6 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from attnray.corpus.example import Example
from attnray.metrics.behaviour import BEHAVIOURS, BROAD
from attnray.metrics.divergence import ClosenessRow
from attnray.metrics.heads import HeadRow
from attnray.metrics.patterns import PatternRow
from attnray.model.pieces import TokenRole
from attnray.report.columns import Column, PageTable, label, number
from attnray.report.drawing.behaviours import BEHAVIOUR_LOOKS
from attnray.report.drawing.clusters import HeadPoint, clusters
from attnray.report.drawing.maps import MapPanel, attention_lines
from attnray.report.examples import candidates, choose
from attnray.report.findings import Findings, Source
from attnray.report.section import Draw, Section, SingleMaps, template_of
from attnray.report.sections.patterns import PATTERNS
from attnray.report.wording import count, head, percent, spaced

if TYPE_CHECKING:
    from attnray.config import Config
    from attnray.reading import RunReader

HEADS = Source("heads", HeadRow)
CLOSENESS = Source("layer_closeness", ClosenessRow)
LABELS = {
    "next": "next token",
    "previous": "previous token",
    "cls": "[CLS]",
    "sep": "[SEP]",
    "punctuation": "“.” and “,”",
    "broad": "broad",
    "other": "none of these",
}
#: More heads are not named.
MOST_HEADS = 12


class Behaving(NamedTuple):
    """The heads, as (layer, head), with a behaviour, and how many the twin has."""

    behaviour: str
    heads: list[tuple[int, int]]
    twin: int


def behaving(heads: Sequence[HeadRow], twin: Sequence[HeadRow]) -> list[Behaving]:
    """The heads of each behaviour that some head has, in the order of the definition."""
    found = [
        Behaving(
            each,
            sorted((row.layer, row.head) for row in heads if row.behaviour == each),
            sum(row.behaviour == each for row in twin),
        )
        for each in BEHAVIOURS
    ]
    return [each for each in found if each.heads or each.twin]


def _some(heads: Sequence[tuple[int, int]]) -> str:
    """Heads by name, if they are few."""
    return ", ".join(head(*each) for each in heads) if len(heads) <= MOST_HEADS else "many"


def points(rows: Sequence[HeadRow]) -> list[HeadPoint]:
    """The heads that have a place in the plane."""
    return [
        HeadPoint(row.layer, row.head, row.behaviour, row.x, row.y)
        for row in rows
        if row.x is not None and row.y is not None
    ]


def figures(findings: Findings) -> Mapping[str, Draw]:
    """Attention of typical heads, and all heads in the plane."""
    drawn: dict[str, Draw] = {}
    if panels := findings.maps.get("behaviours"):
        about = "Attention of a typical head of each behaviour"
        drawn["behaviours"] = partial(attention_lines, about=about, panels=panels)
    if heads := points(HEADS.rows(findings.tables)):
        drawn["clusters"] = partial(clusters, heads=heads)
    return drawn


def typical_heads(
    reader: RunReader,
    heads: Sequence[HeadRow],
    patterns: Sequence[PatternRow],
    examples: Sequence[int] = (),
) -> list[MapPanel]:
    """The most typical head of each behaviour, all on one example, between word pieces.

    A head is the more typical the higher its value of the pattern of that name is; of those
    that attend broadly, the higher its mean entropy. The example has "." or ",".

    Args:
        reader: a run, open at the kind of example that the patterns measure.
        heads: the rows of the table of that name.
        patterns: the rows of the table of that name.
        examples: numbers of examples to choose from, the preferred ones first.

    Returns:
        In the order of docs/definitions.md; none where no example or head is fit to be shown.

    Raises:
        InputError: there is no example of such a number.
    """
    example = choose(candidates(reader, examples), _punctuation)
    if example is None:
        return []
    return [
        MapPanel(
            title=f"{look.label}: head {head(layer, number)}",
            words=example.tokens,
            weights=example.attention(layer, number),
            note=_much(look.name, value),
        )
        for look in BEHAVIOUR_LOOKS
        for value, layer, number in _typical(look.name, heads, patterns)
    ]


def _much(behaviour: str, value: float) -> str:
    """How much of a behaviour a head has."""
    broad = behaviour == BROAD
    return f"entropy {value:.2f} nats" if broad else f"{percent(value)} of attention"


def _typical(
    behaviour: str, heads: Sequence[HeadRow], patterns: Sequence[PatternRow]
) -> list[tuple[float, int, int]]:
    """The value, layer and head of the head that shows a behaviour most clearly, if any does."""
    pattern = "entropy" if behaviour == BROAD else behaviour
    shown = {(row.layer, row.head) for row in heads if row.behaviour == behaviour}
    values = [
        (row.value, row.layer, row.head)
        for row in patterns
        if row.pattern == pattern and row.value is not None and (row.layer, row.head) in shown
    ]
    return sorted(values, key=lambda each: (-each[0], *each[1:]))[:1]


def _punctuation(example: Example) -> int:
    return int((example.roles == TokenRole.PUNCTUATION).sum())


def _maps(reader: RunReader, findings: Findings, config: Config) -> list[MapPanel]:
    heads, patterns = HEADS.rows(findings.tables), PATTERNS.rows(findings.tables)
    return typical_heads(reader, heads, patterns, config.examples)


def context(findings: Findings) -> Mapping[str, object]:
    """The table of behaviours, and how close the heads of a layer are."""
    rows = behaving(HEADS.rows(findings.tables), HEADS.rows(findings.twin))
    twin: Column[Behaving] = number("Random twin", attrgetter("twin"), count)
    columns: list[Column[Behaving]] = [
        label("Behaviour", lambda row: LABELS.get(row.behaviour, spaced(row.behaviour))),
        number("Heads", lambda row: len(row.heads)),
        *([twin] if findings.facts.twin else []),
        Column("Which", lambda row: _some(row.heads)),
    ]
    return {
        "behaviours": PageTable("Table: behaviours", columns, rows, source="heads"),
        "corpus": HEADS.corpus(findings.tables),
        "closeness": next(iter(CLOSENESS.rows(findings.tables)), None),
    }


SECTION = Section(
    "behaviours",
    "Behaviours",
    template_of(__file__),
    needs=[HEADS],
    uses=[CLOSENESS, PATTERNS],
    figures=figures,
    context=context,
    maps=SingleMaps("patterns", _maps),
)
