"""Patterns of attention, each with its value for every head, and behaviours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attnray.metrics.behaviour import OTHER
from attnray.metrics.patterns import PatternRow
from attnray.report.findings import Findings, Tables
from attnray.report.sections.behaviours import HEADS, LABELS
from attnray.report.sections.patterns import ENTROPIES, PATTERNS, SHARES


@dataclass(frozen=True)
class Pattern:
    """A share of attention, or an entropy (`nats`), of every head; no baseline is known for it.

    `rows` are in the order of layers and heads, and so are those of the random twin, if any.
    """

    key: str
    name: str
    nats: bool
    rows: Sequence[PatternRow]
    twin: Sequence[PatternRow]


def patterns(findings: Findings) -> list[Pattern]:
    """All patterns of attention, in the order of the figures."""
    own, twin = _by_name(findings.tables), _by_name(findings.twin)
    shares = {name: words for panel in SHARES for name, words in panel.items()}
    entropies = {name: f"entropy, {words}" for name, words in ENTROPIES.items()}
    return [
        Pattern(f"pattern:{name}", words, name in entropies, own[name], twin.get(name, ()))
        for name, words in {**shares, **entropies}.items()
        if name in own
    ]


def behaviours(findings: Findings) -> dict[tuple[int, int], str]:
    """What heads mostly do, in words, by layer and head; without those that do nothing of it."""
    rows = HEADS.rows(findings.tables)
    return {(row.layer, row.head): LABELS[row.behaviour] for row in rows if row.behaviour != OTHER}


def _by_name(tables: Tables) -> dict[str, list[PatternRow]]:
    found: dict[str, list[PatternRow]] = {}
    for row in PATTERNS.rows(tables):
        found.setdefault(row.pattern, []).append(row)
    return found
