"""Divergence between heads, and closeness of layers, against the slow implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import attnray
from attnray.compare.subjects import opened
from attnray.corpus.example import Example
from attnray.metrics.divergence import Divergence, DivergencePartial, layer_closeness
from attnray.metrics.groups import Group
from attnray.metrics.sums import ratio
from attnray.reading import StoredExample
from attnray.store.folder import RunFolder
from tests.builders import oracle
from tests.builders.cases import assert_same_rows
from tests.builders.jobs import markers, read_table, succeed
from tests.builders.random_maps import of_tokens, padded
from tests.builders.trees import assert_same_tree, merged

METRIC = Divergence(permutations=99, seed=0)
KEY = ("layer_a", "head_a", "layer_b", "head_b")
#: Few values, so that many are equal, and some of them extreme.
VALUES = np.array([0, 0, 1e-30, 2**-64, 1 / 64, 1 / 8, 1 / 8 + 2**-24, 1 / 3, 1], np.float32)
#: Logarithms are those of float32.
CLOSE = 5e-7

Maps = NDArray[np.float64]


def example(length: int, number: int) -> Example:
    """An example; every third is of the same unit."""
    return of_tokens(length, number, unit=number % 3)


@st.composite
def maps(draw: st.DrawFn) -> list[Maps]:
    """Attention of some examples, (layer, head, query, key)."""
    layers, heads = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=8))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    normal = draw(st.booleans())
    found = []
    for length in lengths:
        weights = random.choice(VALUES, (layers, heads, length, length)).astype(np.float64)
        if normal:
            weights[..., 0] += 1e-3
            weights /= weights.sum(-1, keepdims=True)
        found.append(weights.astype(np.float32).astype(np.float64))
    return found


def gathered(
    shard: Mapping[int, Maps] | Sequence[Maps],
    layers_a_slice: int = 1,
    most: int = 100,
    metric: Divergence = METRIC,
) -> DivergencePartial:
    """The partial of a shard, so many examples at once and a few layers; by their numbers."""
    numbered = dict(shard) if isinstance(shard, Mapping) else dict(enumerate(shard))
    examples = [example(each.shape[-1], number) for number, each in numbered.items()]
    attention = list(numbered.values())
    layers, heads = attention[0].shape[:2]
    sums = metric.start(examples, (layers, heads))
    for first in range(0, len(examples), most):
        group = Group(first, examples[first : first + most])
        together = padded(attention[first : first + most])
        for layer in range(0, layers, layers_a_slice):
            chosen = slice(layer, min(layer + layers_a_slice, layers))
            sums.add(group, chosen, together[:, chosen])
    return sums.partial()


def cases(examples: Mapping[int, Maps] | Sequence[Maps]) -> list[oracle.Case]:
    numbered = examples.items() if isinstance(examples, Mapping) else enumerate(examples)
    return [oracle.Case(each, unit=str(number % 3)) for number, each in numbered]


def values(partial: DivergencePartial) -> Maps:
    """The divergences, (layer, head, layer, head)."""
    return ratio(partial.sums)


def of_heads(*heads: Sequence[Sequence[float]]) -> Maps:
    """Divergences of heads of one layer in one example, by their rows."""
    return values(gathered([np.array([heads], np.float64)]))[0, :, 0]


@given(maps(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5))
def test_the_table_is_that_of_the_slow_way(
    examples: list[Maps], shards: int, layers: int, most: int
) -> None:
    # A unit is in one shard, as a document is.
    parts = [{n: x for n, x in enumerate(examples) if n % 3 % shards == s} for s in range(shards)]
    partial = merged(gathered(part, layers, most) for part in parts if part)
    table = METRIC.tables(partial)["divergence"]
    expected = oracle.divergence(cases(examples))
    assert_same_rows(table, expected, KEY)
    found = table["js_divergence"].to_numpy()
    assert found == pytest.approx([row["js_divergence"] for row in expected], abs=CLOSE)
    assert table.select(KEY).to_pylist() == [{k: row[k] for k in KEY} for row in expected]


@given(maps(), st.integers(1, 3), st.integers(1, 5))
def test_slices_and_groups_change_no_bit(examples: list[Maps], layers: int, most: int) -> None:
    whole, parts = gathered(examples, 3), gathered(examples, layers, most)
    assert_same_tree(whole, parts)
    assert whole.sums.t == sum(each.shape[-1] for each in examples)


@given(maps())
def test_it_is_symmetric_and_bounded_and_0_on_the_diagonal(examples: list[Maps]) -> None:
    found = values(gathered(examples))
    heads = int(np.prod(found.shape[:2]))
    found = found.reshape(heads, heads)
    assert (found == found.T).all()
    assert (found.diagonal() == 0).all()
    assert (found >= 0).all()
    mass = max(float(each.sum(-1).max()) for each in examples)
    assert (found <= np.log(2) * mass + CLOSE).all()


@given(maps(), st.randoms(use_true_random=False))
def test_another_order_of_keys_matters_only_where_heads_differ_in_it(
    examples: list[Maps], random: Random
) -> None:
    before = values(gathered(examples))
    everywhere = [each[..., shuffled(each.shape[-1], random)] for each in examples]
    assert values(gathered(everywhere)) == pytest.approx(before, abs=CLOSE)
    in_one_row = [each.copy() for each in examples]
    row = in_one_row[-1][0, 0, -1]
    row[:] = row[shuffled(len(row), random)]
    changed = before != values(gathered(in_one_row))
    changed[0, 0] = changed[:, :, 0, 0] = False
    assert not changed.any()
    tables = METRIC.tables(gathered(in_one_row))
    assert_same_rows(tables["divergence"], oracle.divergence(cases(in_one_row)), KEY)


def shuffled(count: int, random: Random) -> list[int]:
    return random.sample(range(count), count)


# The sample


@given(maps(), st.integers(1, 8), st.integers(0, 3))
def test_a_sample_is_as_large_as_asked_and_measured_like_all(
    examples: list[Maps], most: int, seed: int
) -> None:
    metric = Divergence(9, seed, most, len(examples), "key")
    taken = {n: each for n, each in enumerate(examples) if metric.takes(n)}
    assert len(taken) == min(most, len(examples))
    partial = gathered(examples, metric=metric)
    assert int(partial.examples) == len(taken)
    expected = oracle.divergence(cases(taken))
    assert_same_rows(metric.tables(partial)["divergence"], expected, KEY)


def test_a_shard_without_any_of_the_sample_adds_nothing() -> None:
    metric = Divergence(9, 0, 2, 1000, "key")
    (first, second) = (n for n in range(1000) if metric.takes(n))
    random = np.random.default_rng(0)
    weights = {n: random.dirichlet(np.ones(5), (2, 2, 5)) for n in (first, second, -1, -2)}
    whole, some, none = (
        gathered({n: weights[n] for n in chosen}, metric=metric)
        for chosen in ((first, second), (first, second, -1), (-1, -2))
    )
    assert_same_tree(whole, some)
    assert int(none.examples) == 0
    assert_same_tree(merged([whole, none]), whole)


def test_samples_depend_on_the_seed_and_on_what_they_are_of() -> None:
    drawn = {
        (seed, key): frozenset(filter(Divergence(9, seed, 100, 10**5, key).takes, range(10**5)))
        for seed in (0, 1)
        for key in ("a", "b")
    }
    assert [len(each) for each in drawn.values()] == [100] * 4
    assert len(set(drawn.values())) == 4
    # From everywhere: each tenth has its share, give or take four standard errors.
    tenths = np.histogram(sorted(drawn[0, "a"]), 10, (0, 10**5))[0]
    assert tenths == pytest.approx(10, abs=12)


# Values


def test_known_values() -> None:
    same, other, even = [[1.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.5]]
    found = of_heads([*same, *same], [*other, *same], [*even, *even])
    assert found[0, 1] == pytest.approx(np.log(2) / 2, abs=CLOSE)
    # Half of ln(1 / .75) and of .5 ln(.5 / .75) + .5 ln(.5 / .25).
    half = (np.log(4 / 3) + np.log(2 / 3) / 2 + np.log(2) / 2) / 2
    assert found[0, 2] == pytest.approx(half, abs=CLOSE)


def test_equal_heads_are_exactly_0_apart_and_tokens_count_alike() -> None:
    random = np.random.default_rng(0)
    short, long = (random.dirichlet(np.ones(n), (2, 3, n)) for n in (2, 40))
    for each in (short, long):
        each[1, 2] = each[0, 0]
    partial = gathered([short, long])
    assert values(partial)[0, 0, 1, 2] == 0
    assert values(partial)[0, 0, 0, 1] > 0
    total = [oracle.js_of_rows(each[0, 0], each[0, 1]).sum() for each in (short, long)]
    found = METRIC.tables(partial)["divergence"]["js_divergence"][1].as_py()
    assert found == pytest.approx(sum(total) / 42, abs=CLOSE)


def test_many_heads() -> None:
    random = np.random.default_rng(0)
    attention = random.dirichlet(np.full(64, 0.1), (24, 16, 64))
    partial = gathered([attention], 5)
    found = values(partial)
    others = [(24, 16), (2, 7), (13, 1)]
    expected = oracle.js_between(cases([attention]), (3, 2), others)
    assert [found[2, 1, layer - 1, head - 1] for layer, head in others] == pytest.approx(
        expected, abs=CLOSE
    )


def distances(shape: tuple[int, int], seed: int) -> Maps:
    """Symmetric divergences of few values, (layer, head, layer, head)."""
    count = shape[0] * shape[1]
    some = np.random.default_rng(seed).choice([0.1, 0.2, 0.3, 0.7], (count, count))
    upper = np.triu(some, 1)
    found: Maps = (upper + upper.T).reshape(shape * 2)
    return found


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 2), (3, 2), (2, 3), (4, 5)])
def test_closeness_is_that_of_the_slow_way(shape: tuple[int, int]) -> None:
    found = distances(shape, 1)
    flat = found.reshape(shape[0] * shape[1], -1)
    labels = [layer for layer in range(shape[0]) for _ in range(shape[1])]
    within, between = oracle.closeness(flat, labels)
    row = layer_closeness(found, 9, 0)
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
    found = distances(shape, seed)
    labels = [layer for layer in range(shape[0]) for _ in range(shape[1])]
    exact = oracle.closeness_p_value(found.reshape(len(labels), -1), labels)
    p_value = layer_closeness(found, 3999, seed)["p_value"]
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


# Runs


def measured(run_dir: Path) -> tuple[Sequence[StoredExample], pa.Table]:
    """The examples that a run takes for its divergences, and their table."""
    run = attnray.open(str(run_dir))
    (rows,) = opened([RunFolder(run_dir)])[0].run.measurements("divergence")
    assert isinstance(rows.metric, Divergence)
    taken = [run[index] for index in range(len(run)) if rows.metric.takes(index)]
    return taken, read_table(run_dir, "divergence")


def assert_measured(taken: Sequence[StoredExample], table: pa.Table) -> None:
    """The table is that of the slow way over these examples, and over no others."""
    given = [oracle.Case(e.attention().astype(np.float64), unit=str(e.unit)) for e in taken]
    expected = oracle.divergence(given)
    assert_same_rows(table, expected, KEY)
    assert [row["js_divergence"] for row in expected] == pytest.approx(
        table["js_divergence"].to_numpy(), abs=CLOSE
    )


def test_a_run_measures_the_sample_that_it_is_told_to(
    tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    settings = ("corpus.limit=6", "store=float32", "metrics=[divergence]", *tiny_settings)
    found, counts, written = {}, [], []
    for examples in ("20", "all", "1000"):
        said = (f"run_dir={run_dir}", f"divergence.examples={examples}", "executor=serial")
        succeed("run", *said, *settings)
        taken, found[examples] = measured(run_dir)
        assert set(found[examples]["examples"].to_pylist()) == {len(taken)}
        assert_measured(taken, found[examples])
        counts.append(len(taken))
        written.append(markers(run_dir, "analyse-divergence"))
    whole = len(attnray.open(str(run_dir)))
    assert counts == [20, whole, whole]
    assert whole > 20
    assert not written[0].items() & written[1].items()
    assert written[1] == written[2], "of fewer examples than are asked for, all are taken"
    errors = [np.array(each["standard_error"].to_pylist()) for each in found.values()]
    assert [(each > 0).sum() for each in errors] == [6 * 5] * 3


@pytest.mark.shared
def test_real_attention_diverges_as_the_slow_way_says(shared: Path, tmp_path: Path) -> None:
    text = (shared / "ewt" / "en_ewt-ud-dev.conllu").read_text(encoding="utf-8")
    corpus = tmp_path / "every-tenth.conllu"
    sentences = text.strip().split("\n\n")[::10][:200]
    corpus.write_text("\n\n".join(sentences) + "\n\n", encoding="utf-8")
    overrides = ("executor=serial", "corpus=conllu", f"corpus.path={corpus}")
    metrics = ("metrics=[divergence]", "divergence.examples=50")
    succeed("run", *overrides, *metrics, f"run_dir={tmp_path / 'run'}")
    taken, table = measured(tmp_path / "run")
    assert len(attnray.open(str(tmp_path / "run"))) == 200
    assert len(taken) == 50
    assert_measured(taken, table)
