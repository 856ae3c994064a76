"""The scores of the probes against plain loops over words and heads."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.probe.classifiers import (
    FARTHEST,
    Attention,
    AttentionAndWords,
    Batch,
    DistancesAndWords,
    Probe,
    make,
    scores_of,
)
from attnray.probe.kinds import NEEDS

HEADS, SIZE, HIDDEN = 3, 4, 5
Floats = NDArray[np.float64]


def parameters(probe: Probe) -> dict[str, Floats]:
    return {name: p.detach().double().numpy() for name, p in probe.named_parameters()}


def randomised(name: str, seed: int) -> Probe:
    probe = make(name, HEADS, SIZE, HIDDEN, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in probe.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return probe


def batch_of(counts: list[int], seed: int) -> Batch:
    """Random attention and vectors; what stands in the padding must not matter."""
    generator = torch.Generator().manual_seed(seed)
    words = max(counts)
    attention = torch.rand(len(counts), HEADS, words + 2, words + 2, generator=generator)
    vectors = torch.randn(len(counts), words, SIZE, generator=generator)
    return Batch(torch.tensor(counts), attention, vectors)


def slow_score(probe: Probe, a: Floats, v: Floats, words: int, j: int, i: int | None) -> float:
    """The score of word i, or of the root, as the head of word j; a: (head, from, to)."""
    p = parameters(probe)
    total = 0.0
    if isinstance(probe, DistancesAndWords):
        hidden = p["of_dependent.weight"] @ v[j]
        if i is None:
            hidden = hidden + p["of_root"]
        else:
            far = min(max(i - j, -FARTHEST), FARTHEST) + FARTHEST
            hidden = hidden + p["of_head.weight"] @ v[i] + p["of_head.bias"]
            hidden = hidden + p["of_distance.weight"][far]
        return float(p["out.weight"][0] @ np.maximum(hidden, 0) + p["out.bias"][0])
    cls, sep = words, words + 1
    for k in range(HEADS):
        if i is None:
            outside = (a[k, j, cls], a[k, j, sep], a[k, cls, j], a[k, sep, j])
            seen = {kind * HEADS + k: value for kind, value in enumerate(outside)}
            weight = p.get("root")
            if isinstance(probe, AttentionAndWords):
                weight = p["of_root.weight"] @ v[j] + p["of_root.bias"]
        else:
            seen = {k: a[k, j, i], HEADS + k: a[k, i, j]}
            weight = p.get("pair")
            if isinstance(probe, AttentionAndWords):
                both = np.concatenate([p["of_head.weight"], p["of_dependent.weight"]], axis=1)
                weight = both @ np.concatenate([v[i], v[j]]) + p["of_head.bias"]
        assert weight is not None
        total += sum(weight[feature] * value for feature, value in seen.items())
    return total


@pytest.mark.parametrize("name", ["distances_and_words", "attention", "attention_and_words"])
@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(0, 2**31))
def test_scores_are_those_of_plain_loops(name: str, counts: list[int], seed: int) -> None:
    probe, batch = randomised(name, seed), batch_of(counts, seed)
    assert batch.attention is not None
    assert batch.vectors is not None
    scores = scores_of(probe, batch).detach().numpy()
    assert scores.shape == (len(counts), max(counts), max(counts) + 1)
    for row, count in enumerate(counts):
        a, v = batch.attention[row].double().numpy(), batch.vectors[row].double().numpy()
        for j in range(count):
            for candidate in range(max(counts) + 1):
                i = candidate - 1 if candidate else None
                found = scores[row, j, candidate]
                if i is not None and (i == j or i >= count):
                    assert found == -np.inf
                else:
                    expected = slow_score(probe, a, v, max(counts), j, i)
                    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_a_long_distance_counts_as_the_farthest() -> None:
    probe = randomised("distances_and_words", 1)
    words = FARTHEST + 6
    vectors = torch.ones(1, words, SIZE)
    scores = scores_of(probe, Batch(torch.tensor([words]), None, vectors))[0, 0]
    assert scores[FARTHEST + 1] == scores[words]
    assert scores[FARTHEST] != scores[words]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_right_branching_takes_the_next_word_and_for_the_last_the_root(counts: list[int]) -> None:
    likeliest = scores_of(make("right_branching", 0, 0, 0, 0), batch_of(counts, 0)).argmax(-1)
    for row, count in enumerate(counts):
        assert likeliest[row, :count].tolist() == [*range(2, count + 1), 0]


def test_what_a_probe_needs_is_what_it_uses() -> None:
    counts = torch.tensor([3])
    full = batch_of([3], 0)
    for name, (attention, vectors) in NEEDS.items():
        given = Batch(
            counts, full.attention if attention else None, full.vectors if vectors else None
        )
        assert scores_of(make(name, HEADS, SIZE, HIDDEN, 0), given).shape == (1, 3, 4)


def test_weights_come_from_the_seed() -> None:
    first, same, other = (parameters(make("attention_and_words", 2, 3, 0, s)) for s in (0, 0, 1))
    assert all((first[name] == same[name]).all() for name in first)
    assert (first["of_head.weight"] != other["of_head.weight"]).any()
    assert isinstance(make("attention", 2, 0, 0, 0), Attention)
