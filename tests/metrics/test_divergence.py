"""Divergence between heads, and closeness of layers, against the slow implementation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import attnray
from attnray.corpus.example import Example
from attnray.metrics.accumulators import divergence
from attnray.metrics.divergence import Divergence, DivergencePartial, layer_closeness
from attnray.metrics.tree import merge
from tests.builders import oracle
from tests.builders.cases import assert_same_rows
from tests.builders.jobs import succeed

METRIC = Divergence(permutations=99, seed=0)
KEY = ("layer_a", "head_a", "layer_b", "head_b")
#: Few values, so that many are equal, and some of them extreme.
VALUES = np.array([0, 0, 1e-30, 2**-64, 1 / 64, 1 / 8, 1 / 8 + 2**-24, 1 / 3, 1], np.float32)

Maps = NDArray[np.float64]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in a worker."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def example(length: int) -> Example:
    """An example of which only the length counts."""
    nothing = np.zeros(length, np.int8)
    numbers = np.zeros(length, np.int32)
    return Example(0, "", "", 0, 0, 0, numbers, [], nothing, nothing, numbers, [], [], [], [])


@st.composite
def maps(draw: st.DrawFn) -> list[Maps]:
    """Attention of some examples, (layer, head, query, key), sorted by length."""
    layers, heads = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=8))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    normal = draw(st.booleans())
    found = []
    for length in sorted(lengths):
        weights = random.choice(VALUES, (layers, heads, length, length)).astype(np.float64)
        if normal:
            weights[..., 0] += 1e-3
            weights /= weights.sum(-1, keepdims=True)
        found.append(weights)
    return found


def gathered(shard: Sequence[Maps], layers_a_slice: int = 1, most: int = 100) -> DivergencePartial:
    """The partial of a shard, in groups of equal length and so many examples, layer by layer."""
    layers, heads = shard[0].shape[:2]
    sums = METRIC.start([example(each.shape[-1]) for each in shard], (layers, heads))
    first = 0
    for _, run in groupby(shard, key=lambda each: each.shape[-1]):
        equal = torch.from_numpy(np.stack(list(run)))
        for group in equal.split(most):
            for layer in range(0, layers, layers_a_slice):
                chosen = slice(layer, min(layer + layers_a_slice, layers))
                sums.add(first, chosen, group[:, chosen])
            first += len(group)
    return sums.partial()


def cases(examples: Sequence[Maps]) -> list[oracle.Case]:
    return [oracle.Case(each) for each in examples]


def of_heads(*heads: Sequence[Sequence[float]]) -> Maps:
    """Divergences of heads of one layer in one example, by their rows."""
    partial = gathered([np.array([heads], np.float64)])
    return (partial.sums / partial.tokens)[0, :, 0]


@given(maps(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5))
def test_the_table_is_that_of_the_slow_way(
    examples: list[Maps], shards: int, layers: int, most: int
) -> None:
    parts = [examples[n::shards] for n in range(shards)]
    partial = merge(gathered(part, layers, most) for part in parts if part)
    table = METRIC.tables(partial)["divergence"]
    expected = oracle.divergence(cases(examples))
    assert_same_rows(table, expected, KEY)
    found = table["js_divergence"].to_numpy()
    assert found == pytest.approx([row["js_divergence"] for row in expected], abs=1e-13)
    assert table.select(KEY).to_pylist() == [{k: row[k] for k in KEY} for row in expected]


@given(maps(), st.integers(1, 3), st.integers(1, 5), st.sampled_from([1, 7, 64, 1 << 17]))
def test_slices_and_groups_change_no_bit(
    examples: list[Maps], layers: int, most: int, block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(divergence, "BLOCK_WEIGHTS", block)
        whole, parts = gathered(examples, 3), gathered(examples, layers, most)
    assert (whole.sums == parts.sums).all()
    assert whole.tokens == parts.tokens == sum(each.shape[-1] for each in examples)


@given(maps())
def test_it_is_symmetric_and_bounded_and_0_on_the_diagonal(examples: list[Maps]) -> None:
    partial = gathered(examples)
    heads = int(np.prod(partial.sums.shape[:2]))
    found = (partial.sums / partial.tokens).reshape(heads, heads)
    assert (found == found.T).all()
    assert (found.diagonal() == 0).all()
    assert (found >= 0).all()
    mass = max(float(each.sum(-1).max()) for each in examples)
    assert (found <= np.log(2) * mass + 1e-12).all()


@given(maps(), st.randoms(use_true_random=False))
def test_another_order_of_keys_matters_only_where_heads_differ_in_it(
    examples: list[Maps], random: Random
) -> None:
    before = gathered(examples).sums
    everywhere = [each[..., shuffled(each.shape[-1], random)] for each in examples]
    assert gathered(everywhere).sums == pytest.approx(before, abs=1e-12)
    in_one_row = [each.copy() for each in examples]
    row = in_one_row[-1][0, 0, -1]
    row[:] = row[shuffled(len(row), random)]
    after = gathered(in_one_row).sums
    changed = before != after
    changed[0, 0] = changed[:, :, 0, 0] = False
    assert not changed.any()
    tables = METRIC.tables(gathered(in_one_row))
    assert_same_rows(tables["divergence"], oracle.divergence(cases(in_one_row)), KEY)


def shuffled(count: int, random: Random) -> list[int]:
    return random.sample(range(count), count)


def test_known_values() -> None:
    same, other, even = [[1.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.5]]
    found = of_heads([*same, *same], [*other, *same], [*even, *even])
    assert found[0, 1] == pytest.approx(np.log(2) / 2, abs=1e-15)
    # Half of ln(1 / .75) and of .5 ln(.5 / .75) + .5 ln(.5 / .25).
    half = (np.log(4 / 3) + np.log(2 / 3) / 2 + np.log(2) / 2) / 2
    assert found[0, 2] == pytest.approx(half, abs=1e-15)


def test_equal_heads_are_exactly_0_apart_and_tokens_count_alike() -> None:
    random = np.random.default_rng(0)
    short, long = (random.dirichlet(np.ones(n), (2, 3, n)) for n in (2, 40))
    for each in (short, long):
        each[1, 2] = each[0, 0]
    partial = gathered([short, long])
    assert partial.sums[0, 0, 1, 2] == 0
    assert partial.sums[0, 0, 0, 1] > 0
    total = [oracle.js_of_rows(each[0, 0], each[0, 1]).sum() for each in (short, long)]
    found = METRIC.tables(partial)["divergence"]["js_divergence"][1].as_py()
    assert found == pytest.approx(sum(total) / 42, abs=1e-14)


def test_many_heads_in_blocks_of_part_of_an_example() -> None:
    random = np.random.default_rng(0)
    attention = random.dirichlet(np.full(64, 0.1), (24, 16, 64))
    partial = gathered([attention], 5)
    found = partial.sums / partial.tokens
    others = [(24, 16), (2, 7), (13, 1)]
    expected = oracle.js_between(cases([attention]), (3, 2), others)
    assert [found[2, 1, layer - 1, head - 1] for layer, head in others] == pytest.approx(
        expected, abs=1e-13
    )


def distances(shape: tuple[int, int], seed: int) -> Maps:
    """Symmetric divergences of few values, (layer, head, layer, head)."""
    count = shape[0] * shape[1]
    values = np.random.default_rng(seed).choice([0.1, 0.2, 0.3, 0.7], (count, count))
    upper = np.triu(values, 1)
    found: Maps = (upper + upper.T).reshape(shape * 2)
    return found


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 2), (3, 2), (2, 3), (4, 5)])
def test_closeness_is_that_of_the_slow_way(shape: tuple[int, int]) -> None:
    values = distances(shape, 1)
    flat = values.reshape(shape[0] * shape[1], -1)
    labels = [layer for layer in range(shape[0]) for _ in range(shape[1])]
    within, between = oracle.closeness(flat, labels)
    row = layer_closeness(values, 9, 0)
    assert row["within"] == (None if within is None else pytest.approx(float(within)))
    assert row["between"] == (None if between is None else pytest.approx(float(between)))
    nothing = within is None or between is None
    assert row["difference"] == (None if nothing else pytest.approx(float(between - within)))
    assert (row["p_value"] is None) == nothing
    assert row["permutations"] == 9


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 3), (2, 4)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_sampled_p_value_is_near_that_of_all_relabellings(
    shape: tuple[int, int], seed: int
) -> None:
    values = distances(shape, seed)
    labels = [layer for layer in range(shape[0]) for _ in range(shape[1])]
    exact = oracle.closeness_p_value(values.reshape(len(labels), -1), labels)
    p_value = layer_closeness(values, 3999, seed)["p_value"]
    # Four standard errors of a share of 3,999 draws.
    assert p_value == pytest.approx(exact, abs=4 * np.sqrt(0.25 / 3999))


def test_the_smallest_p_value_and_the_largest() -> None:
    layers = np.repeat(np.arange(4), 4)
    apart = (layers[:, None] != layers).astype(np.float64)
    assert layer_closeness(apart.reshape(4, 4, 4, 4), 199, 0)["p_value"] == 1 / 200
    near = np.where(np.eye(16), 0, 1 - apart)
    assert layer_closeness(near.reshape(4, 4, 4, 4), 199, 0)["p_value"] == 1
    assert layer_closeness(np.zeros((4, 4, 4, 4)), 199, 0)["p_value"] == 1


def test_the_row_of_closeness() -> None:
    random = np.random.default_rng(0)
    rows = METRIC.tables(gathered([random.dirichlet(np.ones(5), (3, 2, 5))]))["layer_closeness"]
    again = METRIC.tables(gathered([random.dirichlet(np.ones(5), (3, 1, 5))]))["layer_closeness"]
    (row,), (single,) = rows.to_pylist(), again.to_pylist()
    assert row["difference"] == row["between"] - row["within"]
    assert row["permutations"] == 99
    assert round(row["p_value"] * 100) == pytest.approx(row["p_value"] * 100)
    assert single["within"] is single["difference"] is single["p_value"] is None
    assert rows.schema == again.schema


@pytest.mark.shared
@pytest.mark.usefixtures("fast_reading")
def test_real_attention_diverges_as_the_slow_way_says(shared: Path, tmp_path: Path) -> None:
    text = (shared / "ewt" / "en_ewt-ud-dev.conllu").read_text(encoding="utf-8")
    corpus = tmp_path / "every-tenth.conllu"
    sentences = text.strip().split("\n\n")[::10][:200]
    corpus.write_text("\n\n".join(sentences) + "\n\n", encoding="utf-8")
    overrides = ("executor=serial", "corpus=conllu", f"corpus.path={corpus}", "metrics=[patterns]")
    succeed("run", *overrides, f"run_dir={tmp_path / 'run'}")
    run = attnray.open(str(tmp_path / "run"))
    examples = [run[index].attention() for index in range(len(run))]
    assert len(examples) == 200
    partial = gathered(sorted(examples, key=lambda each: each.shape[-1]), 4, 20)
    expected = oracle.divergence(cases(examples))
    found = METRIC.tables(partial)["divergence"]["js_divergence"].to_numpy()
    assert found == pytest.approx([row["js_divergence"] for row in expected], abs=1e-12)
