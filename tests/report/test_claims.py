"""In one look: no more is claimed than a test says, and what cannot be said is said to be so."""

from __future__ import annotations

from typing import Any

import pytest

from attnray.metrics.syntax import BestRelationRow
from attnray.report.findings import Findings
from attnray.report.sections import relations
from tests.builders import hand_made

UNTESTED: dict[str, Any] = hand_made.UNKNOWN
NO_TEST = UNTESTED | {"difference": 1.0}


def said(*rows: hand_made.Row) -> str:
    tables = {"syntax_best": hand_made.table(BestRelationRow, list(rows))}
    return " ".join(relations.sentences(Findings.of(tables, hand_made.facts())))


@pytest.mark.parametrize("unknown", [UNTESTED, NO_TEST])
def test_of_a_few_sentences_nothing_is_claimed(unknown: dict[str, Any]) -> None:
    of_all = hand_made.relation("all", 44, 0.6, **unknown)
    text = said(of_all, hand_made.relation("obj", 4, 1.0, **unknown))
    assert text.startswith("Of 44 dependencies nothing can be claimed: fewer than 5 documents ")
    assert "Of 1 relations (punct left out) nothing can be claimed" in text
    assert "(the most frequent has 4 cases)" in text
    assert "%" not in text


def test_only_what_passes_after_the_correction_is_named() -> None:
    text = said(
        hand_made.relation("all", 900, p_value=0.2, p_holm=None),
        hand_made.relation("obj", 300, p_value=0.001, p_holm=0.002),
        hand_made.relation("nsubj", 200, p_value=0.03, p_holm=0.06),
        hand_made.relation("det", 100, p_value=0.001, p_holm=0.002, difference=-0.1),
    )
    assert "both held out: the difference may be chance (95% interval" in text
    assert "in 1 of 3 relations (punct left out): obj +38.2 points (3-1; 300 cases)." in text
    assert "It finds less in 1: det −10.0 points (3-1; 100 cases)." in text
    assert "nsubj" not in text


def test_where_nothing_passes_it_is_said() -> None:
    assert " in none of 1 relations" in said(hand_made.relation("obj", 300, p_holm=0.06))
