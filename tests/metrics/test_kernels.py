"""The kernels against slow ones in plain numpy; those of a GPU against those of a CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.groups import Group
from attnray.metrics.kernels import MERGES, SUMS, cpu
from attnray.model.pieces import TokenRole
from tests.builders import oracle
from tests.builders.cases import case_of
from tests.builders.groups import HEADS, LAYERS, anaphors, drawn, syntax_cases
from tests.builders.jobs import ENVIRONMENT, ROOT

SEEDS = st.integers(0, 2**32)
#: Of one example: logarithms of a divergence, and sums over 1,024 weights, are float32.
CLOSE = 1e-6

Maps = NDArray[np.float64]


def each(group: Group, maps: Tensor) -> Iterator[tuple[Example, Maps]]:
    """The examples of a group, each with its maps alone: (layer, head, query, key)."""
    for example, own in zip(group.examples, maps.numpy().astype(np.float64), strict=True):
        yield example, own[..., : example.length, : example.length]


def alone(group: Group, maps: Tensor) -> Iterator[tuple[Group, Tensor]]:
    """Every example of a group as a group of its own, without padding."""
    for place, example in enumerate(group.examples):
        n = example.length
        yield Group(0, [example]), maps[place : place + 1, ..., :n, :n]


def slow_pattern_sums(example: Example, weights: Maps) -> Maps:
    """The sums of one example: (sum, layer, head)."""
    roles, n = example.roles, example.length
    diagonals = [weights.trace(offset, -2, -1) if n > abs(offset) else 0 for offset in (0, -1, 1)]
    of = {
        role: weights[..., roles == role].sum((-2, -1))
        for role in (TokenRole.CLS, TokenRole.SEP, TokenRole.PUNCTUATION)
    }
    both = weights[..., roles == TokenRole.SEP, :][..., roles == TokenRole.SEP].sum((-2, -1))
    logarithms = np.log(np.where(weights > 0, weights, 1))
    entropies = -(weights * logarithms).sum(-1)
    spread = entropies.sum(-1), entropies[..., roles == TokenRole.CLS].sum(-1)
    shape = weights.shape[:2]
    return np.stack([np.broadcast_to(s, shape) for s in (*diagonals, *of.values(), both, *spread)])


@given(SEEDS, st.booleans())
def test_pattern_sums(seed: int, tied: bool) -> None:
    group, maps = drawn(seed, tied)
    found = cpu.pattern_sums(maps, group)
    assert found.shape == (len(group.examples), SUMS, LAYERS, HEADS)
    expected = [slow_pattern_sums(*one) for one in each(group, maps)]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-12, atol=1e-12)


@settings(max_examples=50)
@given(SEEDS, st.booleans(), st.sampled_from([*MERGES]))
def test_heads_predicted(seed: int, tied: bool, merge: str) -> None:
    group, maps = drawn(seed, tied, words=12)
    ends, word, head = syntax_cases(group)
    found = cpu.heads_predicted(maps, group, ends, word, head, merge)
    expected = np.zeros(found.shape, bool)
    for place, (example, weights) in enumerate(each(group, maps)):
        between = oracle.word_attention(case_of(example, weights), merge)
        for case in range(ends[place], ends[place + 1]):
            j, others = word[case], [w for w in range(len(example.words)) if w != word[case]]
            for layer, number in np.ndindex(LAYERS, HEADS):
                sides = between[layer, number, j], between[layer, number, :, j]
                chosen = [oracle.most_attended(others, side.tolist(), j) for side in sides]
                expected[case, layer, number] = [one == head[case] for one in chosen]
    np.testing.assert_array_equal(found.numpy(), expected)


@settings(max_examples=50)
@given(SEEDS, st.booleans(), st.sampled_from([*MERGES]))
def test_antecedents_chosen(seed: int, tied: bool, merge: str) -> None:
    group, maps = drawn(seed, tied, words=12)
    example, word, ends, candidates, right = anaphors(group, seed)
    found = cpu.antecedents_chosen(
        maps, group, example, word, ends, candidates, right, merge, "anaphors"
    )
    between = [oracle.word_attention(case_of(*one), merge) for one in each(group, maps)]
    for case, (place, asking) in enumerate(zip(example, word, strict=True)):
        own = slice(ends[case], ends[case + 1])
        for layer, number in np.ndindex(LAYERS, HEADS):
            weights = between[place][layer, number, asking, candidates[own]]
            expected = bool(len(weights) and right[own][weights.argmax()])
            assert bool(found[case, layer, number]) == expected


@given(SEEDS, st.booleans())
def test_divergences(seed: int, tied: bool) -> None:
    group, maps = drawn(seed, tied, examples=1)
    ((example, weights),) = each(group, maps)
    heads = weights.reshape(LAYERS * HEADS, example.length, example.length)
    halves = torch.from_numpy((heads / 2).astype(np.float32)).flatten(1)
    found = cpu.divergence(halves).numpy() / example.length
    expected = [[oracle.js_of_rows(p, q).mean() for q in heads] for p in heads]
    mass = max(1, float(weights.sum(-1).max()))
    assert found == pytest.approx(np.array(expected), abs=CLOSE * mass)
    assert (found == found.T).all()
    assert (found.diagonal() == 0).all()


@given(SEEDS)
def test_cells_without_padding(seed: int) -> None:
    group, maps = drawn(seed, tied=True)
    for layer in range(LAYERS):
        cells = [own[layer].reshape(HEADS, -1) for _, own in each(group, maps)]
        assert [sum(one.shape[1] for one in cells[:n]) for n in range(len(cells))] == [
            *group.offsets
        ]
        expected = np.concatenate(cells, axis=1)
        np.testing.assert_array_equal(cpu.compacted(maps[:, layer], group).numpy(), expected)


@given(SEEDS, st.booleans())
def test_examples_together_give_the_bits_of_each_alone(seed: int, tied: bool) -> None:
    group, maps = drawn(seed, tied)
    ones = list(alone(group, maps))
    sums = [cpu.pattern_sums(own, one) for one, own in ones]
    assert torch.equal(cpu.pattern_sums(maps, group), torch.cat(sums))
    parts = [cpu.heads_predicted(own, one, *syntax_cases(one), "mean") for one, own in ones]
    predicted = cpu.heads_predicted(maps, group, *syntax_cases(group), "mean")
    assert torch.equal(predicted, torch.cat(parts))
    for kernel in (cpu.compacted, cpu.log16):
        codes = [kernel(own[:, 1], one) for one, own in ones]
        assert torch.equal(kernel(maps[:, 1], group), torch.cat(codes, 1))


@given(SEEDS, st.booleans(), st.integers(1, 5))
def test_sums_by_group(seed: int, whole_numbers: bool, count: int) -> None:
    chooser = np.random.default_rng(seed)
    values = chooser.integers(0, 2 + 99 * whole_numbers, (7, 2, 3))
    values = values if whole_numbers else values.astype(bool)
    group = chooser.integers(0, count, 7)
    expected = np.zeros((count, 2, 3), np.int64)
    for value, place in zip(values, group, strict=True):
        expected[place] += value
    np.testing.assert_array_equal(cpu.added_up(values, group, count), expected)


def test_logarithms() -> None:
    chooser = np.random.default_rng(0)
    x = np.exp2(chooser.uniform(-126, 1, 100_000)).astype(np.float32)
    x[:4] = 1, np.finfo(np.float32).tiny, np.float32(np.sqrt(0.5)), 1 - 2**-24
    exact = np.log(x.astype(np.float64))
    weights = np.zeros((len(x), 1, 1, 1, 1), np.float32)
    weights[:, 0, 0, 0, 0] = x
    of_one = np.array([cpu._entropy(weight.ravel()) for weight in weights])
    np.testing.assert_allclose(of_one, -x * exact, rtol=1e-12, atol=1e-13)
    # Half of it twice is one mean: m ln m, of float32.
    half = np.array([cpu._pair(one, one) for one in (x / 2)[:, None]])
    np.testing.assert_allclose(half, x * exact, rtol=4e-7, atol=4e-8)


# At the size of BERT-base

LARGE = """
import json, resource, sys
import numpy as np, torch
from attnray.metrics.kernels import cpu

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

heads, length = 144, 512
cpu.divergence(torch.full((2, 4), 0.25))
halves = torch.empty(heads, length * length)
chooser = np.random.default_rng(0)
for head in halves:
    weights = chooser.standard_exponential((length, length), dtype=np.float32) ** 4
    weights /= 2 * weights.sum(-1, keepdims=True)
    head.copy_(torch.from_numpy(weights).ravel())
before = peak()
found = cpu.divergence(halves).numpy()
grown = peak() - before

def slow(one, other):
    p, q = (halves[n].numpy().astype(np.float64) * 2 for n in (one, other))
    m = (p + q) / 2
    return float((p * np.log(p / m) + q * np.log(q / m)).sum() / 2)

pairs = [(0, 1), (143, 0), (71, 72), (7, 140)]
errors = [abs(found[pair] - slow(*pair)) / length for pair in pairs]
print(json.dumps({
    "grown": grown, "of a head": halves[0].nbytes * heads, "errors": errors,
    "least": found[~np.eye(heads, dtype=bool)].min() / length,
    "diagonal": np.abs(found.diagonal()).max(), "apart": np.abs(found - found.T).max(),
}))
"""


@pytest.mark.slow
def test_divergences_of_144_heads_at_512_tokens_take_no_memory() -> None:
    """Weights of all pairs of heads would take 22 GB, of one head and all others 150 MB."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["grown"] < found["of a head"] / 4
    assert max(found["errors"]) < 1e-6
    assert found["least"] > 0.01
    assert found["diagonal"] == found["apart"] == 0


# On a GPU


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Triton is for Linux")
def test_the_kernels_of_a_gpu_are_those_of_a_cpu() -> None:
    """Triton interprets them where no GPU is."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.builders.kernel_twins"],
        cwd=ROOT,
        env=ENVIRONMENT | ({} if torch.cuda.is_available() else {"TRITON_INTERPRET": "1"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the same over" in done.stdout
