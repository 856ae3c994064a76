"""What the page's script knows of every head: the numbers of the finder and of the cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from attnray.metrics.divergence import DivergenceRow
from attnray.metrics.patterns import PatternRow
from attnray.report.findings import Findings, Source
from attnray.report.questions import Gain, Question
from attnray.report.sections.behaviours import HEADS
from attnray.report.sections.finder.answers import answer, highest
from attnray.report.sections.finder.patterns import Pattern, behaviours, patterns
from attnray.report.sections.patterns import PATTERNS
from attnray.report.sections.relations import short_direction

DIVERGENCE: Source[Any] = Source("divergence", DivergenceRow)
SOURCES: tuple[Source[Any], ...] = (PATTERNS, HEADS, DIVERGENCE)
#: So many heads are named as the nearest.
NEAREST = 6


def any_heads(findings: Findings) -> bool:
    """Whether anything is known of single heads."""
    return bool(findings.questions) or PATTERNS.name in findings.tables


def heads_data(findings: Findings) -> dict[str, object]:
    """Every number that finder and cards show, rounded as they show it.

    Values of heads are lists in the order of layers and heads; a head itself is its place in
    that order, from 0.
    """
    questions, attention = findings.questions, patterns(findings)
    rows: Sequence[Gain | PatternRow] = questions[0].gains if questions else attention[0].rows
    behaving = behaviours(findings)
    return {
        "layers": max(row.layer for row in rows),
        "heads": max(row.head for row in rows),
        "twin": findings.facts.twin,
        "behaviours": [behaving.get((row.layer, row.head), "") for row in rows],
        "questions": [_question(each, questions, behaving) for each in questions],
        "patterns": [_pattern(each) for each in attention],
        "nearest": _nearest(findings),
    }


def _question(
    question: Question, others: Sequence[Question], behaving: Mapping[tuple[int, int], str]
) -> dict[str, object]:
    gains, twin = question.gains, question.twin
    directions = [getattr(row, "direction", "") for row in gains]
    return {
        "key": question.key,
        "group": question.group,
        "name": question.name,
        "words": question.words,
        "cases": question.cases,
        "total": question.best.total,
        "rule": question.rule,
        "baseline": share(gains[0].baseline_accuracy),
        "answer": answer(question, others, behaving),
        "direction": [short_direction(name) for name in directions] if any(directions) else None,
        "accuracy": [share(row.accuracy) for row in gains],
        "gain": [share(row.difference) for row in gains],
        "low": [share(row.difference_ci_low) for row in gains],
        "high": [share(row.difference_ci_high) for row in gains],
        "corrected": any(row.p_holm is not None for row in gains),
        "p": [_p_value(row) for row in gains],
        "twin": [share(row.accuracy) for row in twin],
    }


def _pattern(pattern: Pattern) -> dict[str, object]:
    def numbers(values: Iterable[float | None]) -> list[float | None]:
        return [_hundredth(value) if pattern.nats else share(value) for value in values]

    return {
        "key": pattern.key,
        "group": "Attention",
        "name": pattern.name,
        "nats": pattern.nats,
        "answer": highest(pattern),
        "value": numbers(row.value for row in pattern.rows),
        "low": numbers(row.ci_low for row in pattern.rows),
        "high": numbers(row.ci_high for row in pattern.rows),
        "twin": numbers(row.value for row in pattern.twin),
    }


def _nearest(findings: Findings) -> list[list[tuple[int, float]]]:
    """For each head those whose attention is least unlike, with their divergences in nats."""
    table = findings.tables.get(DIVERGENCE.name)
    if table is None:
        return []
    values = table["js_divergence"].to_numpy()
    places = [table[name].to_numpy() for name in ("layer_a", "head_a", "layer_b", "head_b")]
    layers, heads = (int(each.max()) for each in places[:2])
    square = np.full((layers, heads, layers, heads), np.nan)
    square[tuple(each - 1 for each in places)] = values
    unlike = square.reshape(layers * heads, -1)
    np.fill_diagonal(unlike, np.nan)
    return [
        [(int(other), round(float(row[other]), 3)) for other in order if not np.isnan(row[other])]
        for row in unlike
        for order in [np.argsort(row, kind="stable")[:NEAREST]]
    ]


def share(value: float | None) -> float | None:
    """A fraction as `wording.percent` and `wording.points` show it."""
    return None if value is None else round(float(f"{100 * value:.1f}") / 100, 3)


def _p_value(row: Gain) -> float | None:
    """As `wording.p_value` shows it, 0 where that is less than 0.001; that of one of several."""
    value = row.p_value if row.p_holm is None else row.p_holm
    return None if value is None else float(f"{value:.2g}") if value >= 0.001 else 0.0


def _hundredth(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
