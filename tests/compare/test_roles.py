"""Matched heads against every possible pairing, on models of few heads."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from attnray.compare.roles import Profiles, _matched, _profiles


def profiles(generator: np.random.Generator, heads: int, items: int) -> Profiles:
    """Heads that find things at random."""
    named = [(f"relation{number}", "dependent_to_head") for number in range(items)]
    places = [(1 + number // 2, 1 + number % 2) for number in range(heads)]
    return Profiles(places, named, generator.random((heads, items)))


@pytest.mark.parametrize(("heads", "others"), [(4, 4), (3, 5), (5, 3), (1, 4)])
def test_no_other_pairing_is_nearer(heads: int, others: int) -> None:
    generator = np.random.default_rng(heads * 10 + others)
    one, other = profiles(generator, heads, 6), profiles(generator, others, 6)
    apart = np.array(
        [[np.sqrt(np.mean((a - b) ** 2)) for b in other.accuracy] for a in one.accuracy]
    )
    few, many = sorted((heads, others))
    wide = apart if heads <= others else apart.T
    least = min(sum(wide[n, p] for n, p in enumerate(c)) for c in permutations(range(many), few))
    rows = _matched(one, other, one.items)
    assert len(rows) == few
    assert sum(row["distance"] for row in rows) == pytest.approx(least)  # type: ignore[misc]
    for row in rows:
        mine = one.heads.index((row["layer"], row["head"]))  # type: ignore[arg-type]
        theirs = other.heads.index((row["other_layer"], row["other_head"]))  # type: ignore[arg-type]
        assert row["distance"] == pytest.approx(apart[mine, theirs])
        assert row["mean_distance"] == pytest.approx(apart[mine].mean())


def test_a_shuffled_model_is_matched_head_by_head() -> None:
    generator = np.random.default_rng(3)
    one = profiles(generator, 6, 5)
    order = generator.permutation(6)
    other = Profiles(one.heads, one.items, one.accuracy[order])
    for row in _matched(one, other, one.items):
        assert row["p_holm"] == pytest.approx(0, abs=0.01)
        assert row["distance"] == pytest.approx(0)
        mine = one.heads.index((row["layer"], row["head"]))  # type: ignore[arg-type]
        theirs = one.heads.index((row["other_layer"], row["other_head"]))  # type: ignore[arg-type]
        assert order[theirs] == mine


def test_heads_without_roles_match_no_better_than_chance() -> None:
    generator = np.random.default_rng(4)
    rows = _matched(
        profiles(generator, 12, 5), profiles(generator, 12, 5), profiles(generator, 1, 5).items
    )
    assert not [row for row in rows if row["p_holm"] <= 0.05]  # type: ignore[operator]


def test_of_a_single_head_nothing_is_claimed() -> None:
    generator = np.random.default_rng(5)
    one = profiles(generator, 1, 5)
    (row,) = _matched(one, one, one.items)
    assert (row["distance"], row["p_value"], row["p_holm"]) == (0, 1, 1)


def test_heads_that_gain_nothing_have_no_role() -> None:
    found = [(1, 1, 0.9), (1, 2, 0.8), (2, 1, 0.1)]
    syntax = [
        {"layer": layer, "head": head, "relation": "obj", "direction": "d", "total": 60}
        | {"accuracy": accuracy}
        for layer, head, accuracy in found
    ]
    gains = [
        {"layer": 1, "head": 1, "difference": 0.2, "p_holm": 0.01},
        {"layer": 1, "head": 2, "difference": 0.2, "p_holm": 0.06},
        {"layer": 2, "head": 1, "difference": -0.2, "p_holm": 0.01},
    ]
    tables = {"syntax": syntax, "syntax_gains": gains}
    subject: Any = SimpleNamespace(table=lambda name: pa.Table.from_pylist(tables[name]))
    made = _profiles(subject)
    assert made is not None
    assert made.heads == [(1, 1)]
    assert made.accuracy.tolist() == [[0.9]]
