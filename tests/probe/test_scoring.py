"""Scoring: trees against every possible tree, counts against a plain count, tables by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.corpus.example import Example
from attnray.probe.results import Scored
from attnray.probe.scoring import COUNTS, best_tree, counts
from attnray.probe.sentences import ProbeSentence
from attnray.probe.tables import Result, differences_table, probes_table
from tests.builders import oracle

Floats = NDArray[np.float64]


def is_tree(heads: tuple[int, ...]) -> bool:
    """Whether every word reaches the root, which has one child."""
    if heads.count(0) != 1:
        return False
    for word in range(len(heads)):
        at, steps = word + 1, 0
        while at and steps <= len(heads):
            at, steps = heads[at - 1], steps + 1
        if at:
            return False
    return True


def scores(words: int, seed: int, ties: bool) -> Floats:
    random = np.random.default_rng(seed)
    values = random.integers(-3, 2, (words, words + 1)) if ties else random.normal(
        scale=5, size=(words, words + 1)
    )  # fmt: skip
    made = values.astype(np.float64)
    for word in range(words):
        made[word, word + 1] = -np.inf
    return made


@settings(max_examples=300)
@given(st.integers(1, 5), st.integers(0, 2**31), st.booleans())
def test_the_best_tree_is_the_best_of_all_trees(words: int, seed: int, ties: bool) -> None:
    made = scores(words, seed, ties)
    found = best_tree(made)
    assert is_tree(tuple(found.tolist()))
    best = max(
        sum(made[word, head] for word, head in enumerate(heads))
        for heads in product(range(words + 1), repeat=words)
        if is_tree(heads)
    )
    assert sum(made[word, head] for word, head in enumerate(found)) == pytest.approx(best)


def test_a_second_root_never_pays() -> None:
    made = np.full((4, 5), -50.0)
    made[:, 0] = 0
    for word in range(4):
        made[word, word + 1] = -np.inf
    assert is_tree(tuple(best_tree(made).tolist()))


def example(heads: list[int], relations: list[str], unit: int = 0) -> Example:
    none: Any = np.zeros(1, np.int32)
    words = ["w"] * len(heads)
    return Example(0, "d", "", unit, 0, 0, none, [], none, none, none, words, heads, relations, [])


def test_counts_by_hand() -> None:
    # Word 2 is the root; 1 and 4 hang on it, 3 on 4; 5 is punctuation, 6 has no head.
    gold = example([2, 0, 4, 2, 2, -1], ["nsubj", "root", "det", "obj", "punct:x", ""])
    made = np.full((6, 7), -9.0)
    for word, head in enumerate([2, 0, 2, 3, 2, 2]):
        made[word, head] = 0
    for word in range(6):
        made[word, word + 1] = -np.inf
    found = dict(zip(COUNTS, counts(ProbeSentence(gold, None), made).tolist(), strict=True))
    # Words 1 to 4 count; 1 and 2 are right; of the edges 1-2, 3-4 and 4-2 the tree has 1-2
    # and, the other way round, 3-4.
    assert found == {"words": 4, "correct": 2, "tree_correct": 2, "edges": 3, "edges_found": 2}


@given(st.integers(1, 6), st.integers(0, 2**31))
def test_counts_by_a_plain_count(words: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    heads = [
        int(random.choice([h for h in range(-1, words + 1) if h != w + 1])) for w in range(words)
    ]
    relations = random.choice(["punct", "obj", "punct:x", "nsubj"], words).tolist()
    made = scores(words, seed, ties=False)
    tree = best_tree(made).tolist()
    expected = dict.fromkeys(COUNTS, 0)
    for word in range(words):
        if heads[word] < 0 or relations[word].startswith("punct"):
            continue
        expected["words"] += 1
        expected["correct"] += max(range(words + 1), key=made[word].__getitem__) == heads[word]
        expected["tree_correct"] += tree[word] == heads[word]
        if heads[word] > 0:
            expected["edges"] += 1
            edges = {frozenset((w + 1, h)) for w, h in enumerate(tree)}
            expected["edges_found"] += frozenset((word + 1, heads[word])) in edges
    sentence = ProbeSentence(example(heads, relations), None)
    assert dict(zip(COUNTS, counts(sentence, made).tolist(), strict=True)) == expected


def scored(model: str, probe: str, seed: int, right: list[int]) -> Result:
    by_unit = Scored(
        unit=np.arange(6),
        words=np.array([10, 20, 30, 0, 40, 50]),
        correct=np.array(right),
        tree_correct=np.array(right) // 2,
        edges=np.array([9, 18, 27, 0, 36, 45]),
        edges_found=np.array([4, 9, 20, 0, 16, 20]),
    )
    return Result(model, probe, seed, 1000, None, by_unit)


def test_the_table_of_probes() -> None:
    right = [5, 8, 21, 0, 16, 10]
    (row,) = probes_table([scored("m", "attention", 0, right)]).to_pylist()
    low, high = oracle.intervals(right, [10, 20, 30, 0, 40, 50], accuracy=True)
    assert (row["uas"], row["dev_words"], row["train_words"]) == (60 / 150, 150, 1000)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low), pytest.approx(high))
    assert (row["tree_uas"], row["uuas"]) == (29 / 150, 69 / 135)


def test_differences_pool_seeds_and_are_paired() -> None:
    own = [
        scored("m", "right_branching", 0, [3, 6, 9, 0, 9, 9]),
        scored("m", "attention", 0, [5, 8, 21, 0, 16, 10]),
        scored("m", "attention", 1, [6, 9, 20, 0, 17, 11]),
    ]
    twins = [scored("m-random-0", "attention", 0, [1, 2, 3, 0, 8, 2])]
    first, second = differences_table(own, twins).to_pylist()
    assert (first["probe"], first["other_probe"]) == ("attention", "right_branching")
    differences = [11 - 6, 17 - 12, 41 - 18, 33 - 18, 21 - 18]
    low, high = oracle.intervals(differences, [20, 40, 60, 80, 100])
    assert first["difference"] == pytest.approx(sum(differences) / 300)
    assert (first["ci_low"], first["ci_high"]) == (pytest.approx(low), pytest.approx(high))
    assert (second["other_model"], second["other_probe"]) == ("m-random-0", "attention")
    assert second["difference"] == pytest.approx((123 - 32) / 300)
    low, high = sorted([first, second], key=lambda row: row["p_value"])
    assert low["p_holm"] == pytest.approx(2 * low["p_value"])
    assert high["p_holm"] == pytest.approx(max(high["p_value"], low["p_holm"]))
