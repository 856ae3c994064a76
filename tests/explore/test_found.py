"""What is found equals what a run's cases and tables say, taken one by one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pyarrow as pa
import pytest

import attnray
from attnray.errors import InputError
from attnray.explore.asked import Asked
from attnray.explore.attended import CASES, ITSELF, attended
from attnray.explore.cases import Cases
from attnray.explore.columns import Forms
from attnray.explore.found import Found, find
from attnray.explore.opened import SHARDS_HELD, OpenedRun, Weights
from attnray.interface.opened import Run
from tests.builders.explored import opened

Row = dict[str, Any]

HEADS = {"a": (1, 2, "dependent_to_head"), "b": (2, 3, "head_to_dependent")}
BOTH = {
    name: value
    for head, (layer, number, direction) in HEADS.items()
    for name, value in ((head, f"{layer}-{number}"), (f"{head}_direction", direction))
}


@pytest.fixture(scope="module")
def run(undisturbed: Path) -> OpenedRun:
    return opened(undisturbed)


@pytest.fixture(scope="module")
def reader(undisturbed: Path) -> Run:
    return attnray.open(str(undisturbed))


@pytest.fixture(scope="module")
def rows(reader: Run) -> list[Row]:
    """The cases of syntax, each with whether the heads are right, and its words."""
    found: list[Row] = reader.cases("syntax").to_pylist()
    for name, head in HEADS.items():
        right = reader.cases("syntax", *head)["right"].to_pylist()
        for row, each in zip(found, right, strict=True):
            row[name] = each
    for row in found:
        words = reader[row["example"]].words
        row["form"], row["goal"] = words[row["word"]], words[row["head_word"]]
    return found


def found_by(run: OpenedRun, **query: str) -> Found:
    return find([run], Asked.of_query(query))


def places(found: Found) -> list[tuple[int, int]]:
    """Example and word of each chosen case."""
    cases, texts = found.cases, found.cases.texts
    example = cases.example[found.chosen]
    word = cases.word[found.chosen] - texts.start[example]
    return sorted(zip(texts.index[example].tolist(), word.tolist(), strict=True))


QUERIES: list[tuple[dict[str, str], Callable[[Row], bool]]] = [
    ({}, lambda row: True),
    ({"group": "obj"}, lambda row: row["relation"].split(":")[0] == "obj"),
    ({"group": "nmod"}, lambda row: row["relation"].split(":")[0] == "nmod"),
    ({"group": "all_but_punct"}, lambda row: row["relation"] != "punct"),
    ({"word": "THE"}, lambda row: row["form"].lower() == "the"),
    ({"word": "*ing"}, lambda row: row["form"].lower().endswith("ing")),
    ({"goal": "w*s"}, lambda row: bool(re.fullmatch("w.*s", row["goal"], re.I))),
    ({"word": "."}, lambda row: row["form"] == "."),
    ({"least": "-2", "most": "-1"}, lambda row: row["distance"] in (-2, -1)),
    ({"least": "3"}, lambda row: row["distance"] >= 3),
    ({"a_right": "yes"}, lambda row: row["a"]),
    ({"a_right": "yes", "b_right": "no"}, lambda row: row["a"] and not row["b"]),
    ({"a_right": "no", "group": "det"}, lambda row: not row["a"] and row["relation"] == "det"),
]


@pytest.mark.parametrize(("query", "wanted"), QUERIES, ids=[str(query) for query, _ in QUERIES])
def test_the_cases_that_are_asked_for(
    run: OpenedRun, rows: list[Row], query: dict[str, str], wanted: Callable[[Row], bool]
) -> None:
    expected = sorted((row["example"], row["word"]) for row in rows if wanted(row))
    assert expected
    assert places(found_by(run, **BOTH, **query)) == expected


def test_the_cases_of_a_document(run: OpenedRun, rows: list[Row]) -> None:
    name = rows[-1]["document"]
    expected = sorted((row["example"], row["word"]) for row in rows if row["document"] == name)
    assert places(found_by(run, document=name)) == expected


def test_all_heads_have_as_many_right_as_the_tables_say(run: OpenedRun, reader: Run) -> None:
    sums = {
        relation: (group.sum(), counts)
        for relation in ("all", "all_but_punct", "det", "nsubj")
        for group in [found_by(run).cases.of_group(relation)]
        for counts in [found_by(run).cases.counts(group)]
    }
    compared = 0
    for row in reader.table("syntax").to_pylist():
        if row["relation"] in sums:
            total, counts = sums[row["relation"]]
            direction = ("dependent_to_head", "head_to_dependent").index(row["direction"])
            assert counts[row["layer"] - 1, row["head"] - 1, direction] == row["correct"]
            assert total == row["total"]
            compared += 1
    assert compared == 4 * 2 * 3 * 2


def test_what_is_shown_unasked_is_the_best_of_the_group(run: OpenedRun, reader: Run) -> None:
    for row in reader.table("syntax_best").to_pylist():
        shown = found_by(run, group=row["relation"]).a
        assert (*shown.head, shown.direction) == (row["layer"], row["head"], row["direction"])
    for row in reader.table("coreference_best").to_pylist():
        if row["total"]:
            shown = found_by(run, of="coreference", group=row["mention_type"]).a
            assert shown.head == (row["layer"], row["head"])


def test_anaphors_and_their_nearest_antecedents(run: OpenedRun, reader: Run) -> None:
    rows = reader.cases("coreference").to_pylist()
    found = found_by(run, of="coreference", group="pronoun", least="-3")
    nearest = [min(abs(word - row["word"]) for word in row["antecedents"]) for row in rows]
    near = zip(rows, nearest, strict=True)
    expected = [r for r, away in near if r["mention_type"] == "pronoun" and away <= 3]
    assert expected
    assert places(found) == sorted((row["example"], row["word"]) for row in expected)
    for case in found.chosen.tolist():
        row = run.row(found.cases, case)
        assert found.cases.distance[case] in [word - row["word"] for word in row["antecedents"]]


def test_examples_are_found_by_any_of_their_words(run: OpenedRun, reader: Run) -> None:
    found = found_by(run, of="sentences", word="she")
    expected = [n for n, each in enumerate(reader) if "she" in [w.lower() for w in each.words]]
    assert expected
    assert found.cases.texts.index[found.chosen].tolist() == expected


def test_a_case_opens_its_example_and_attention(run: OpenedRun, reader: Run) -> None:
    cases = found_by(run).cases
    for case in range(0, len(cases), 97):
        assert cases.named(cases.name(case)) == case
        example = run.example(cases, case)
        row = run.row(cases, case)
        assert (row["example"], row["document"]) == (example.index, example.document)
        assert cases.texts.spelled(int(cases.example[case])) == example.words
        weights = run.weights(cases, case, 2, 3)
        np.testing.assert_array_equal(weights, reader[example.index].attention(2, 3))
    assert cases.named("0.9999999") is None
    assert cases.named("x") is None


@pytest.fixture
def every_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases of all shards are looked at."""
    monkeypatch.setattr("attnray.explore.attended.SHARDS_HELD", 10**6)


@pytest.mark.usefixtures("every_shard")
def test_what_is_attended(run: OpenedRun, reader: Run, rows: list[Row]) -> None:
    found = found_by(run, group="xcomp", a="2-1", a_direction="dependent_to_head")
    shares = attended(found, found.a)
    assert 0 < shares.words == len(found.chosen) <= 100
    distances: Counter[str] = Counter()
    relations: Counter[str] = Counter()
    for row in rows:
        if row["relation"].split(":")[0] == "xcomp":
            example, word = reader[row["example"]], row["word"]
            weights = example.attention(2, 1, words=True)[word]
            for other, weight in enumerate(weights):
                away = other - word
                distances[ITSELF if not away else f"{away:+d}".replace("-", "−")] += weight
                label = example.relations[other].split(":")[0]
                relations[ITSELF if not away else label] += weight
            distances["special"] += 1 - weights.sum()
    for name in ("−2", "−1", ITSELF, "+1", "+8"):
        assert shares.distances[name] == pytest.approx(distances[name] / shares.words)
    special = shares.distances["[CLS]"] + shares.distances["[SEP]"]
    assert special == pytest.approx(distances["special"] / shares.words, abs=1e-3)
    named = shares.relations.keys() & relations.keys()
    assert len(named) > 8
    for name in named:
        assert shares.relations[name] == pytest.approx(relations[name] / shares.words)
    for each in (shares.distances, shares.relations):
        assert sum(each.values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.usefixtures("every_shard")
def test_where_a_word_is_attended_from(run: OpenedRun, reader: Run) -> None:
    found = found_by(run, group="iobj", a="1-1", a_direction="head_to_dependent")
    shares = attended(found, found.a)
    assert shares.incoming
    total: Counter[str] = Counter()
    for case in found.chosen.tolist():
        example = reader[int(found.cases.texts.index[found.cases.example[case]])]
        word = run.row(found.cases, case)["word"]
        weights = example.attention(1, 1)
        owner = example.word_of_piece
        special = weights[owner < 0][:, owner == word].sum()
        to_word = example.attention(1, 1, words=True)[:, word]
        total["+1"] += to_word[word + 1] / (to_word.sum() + special)
        total[ITSELF] += to_word[word] / (to_word.sum() + special)
    assert total["+1"]
    for name, sum_ in total.items():
        assert shares.distances[name] == pytest.approx(sum_ / shares.words)


def test_few_cases_of_few_shards_are_looked_at(
    run: OpenedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, seen = found_by(run), []
    read = run.weights

    def weights(cases: Cases, case: int, layer: int, head: int) -> Weights | None:
        seen.append(int(cases.texts.shard[cases.example[case]]))
        return read(cases, case, layer, head)

    monkeypatch.setattr(run, "weights", weights)
    assert attended(found, found.a).words == len(seen) == CASES
    assert len(set(seen)) == SHARDS_HELD < len(run.manifest.shards)


def test_the_same_cases_in_two_runs(run: OpenedRun, few_kept: Path, rows: list[Row]) -> None:
    other = opened(few_kept)
    there = {
        (row["document"], row["sentence"], row["word"]): row["right"]
        for row in attnray.open(str(few_kept)).cases("syntax", 2, 1).to_pylist()
    }
    query = {"a": "1-1", "b": "2-1", "b_run": "other", "b_direction": "dependent_to_head"}
    for right in ("yes", "no"):
        found = find([run, other], Asked.of_query({**query, "b_right": right}))
        keys = {
            (row["example"], row["word"]): (row["document"], row["sentence"], row["word"])
            for row in rows
        }
        expected = [place for place, key in keys.items() if there.get(key) is (right == "yes")]
        assert expected
        assert places(found) == sorted(expected)
    assert found.b is not None
    assert int(found.b.known.sum()) == len(there) < len(rows)


def test_only_what_attention_is_kept_of(few_kept: Path) -> None:
    run, reader = opened(few_kept), attnray.open(str(few_kept))
    found = found_by(run, stored="yes")
    index = found.cases.texts.index[found.cases.example]
    assert set(index[found.chosen].tolist()) == set(reader.stored)
    for case in range(len(found.cases)):
        weights = run.weights(found.cases, case, 1, 1)
        assert (weights is not None) == (index[case] in reader.stored)
        if weights is not None:
            np.testing.assert_array_equal(weights, reader[int(index[case])].attention(1, 1))
    assert 0 < attended(found_by(run), found.a).words <= 100


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"colour": "red"}, "there is no colour to ask for"),
        ({"of": "nothing"}, "of=nothing is not there: syntax, coreference, sentences"),
        ({"group": "obbj"}, "group=obbj"),
        ({"a": "3"}, "a=3 is no head"),
        ({"a": "3-1"}, "has no head 3-1: its last one is 2-3"),
        ({"a": "0-1"}, "has no head 0-1"),
        ({"a_direction": "up"}, "direction=up is not there"),
        ({"a_right": "maybe"}, "a_right=maybe is not possible: yes or no"),
        ({"b_right": "yes"}, "b_right=yes is of a head"),
        ({"b_run": "other"}, "no other run"),
        ({"of": "sentences", "a_right": "yes"}, "a_right=yes is of a head and of cases"),
        ({"least": "x"}, "least=x is no number"),
        ({"most": "9" * 11}, "is no number"),
        ({"page": "0"}, "page=0 is no number"),
        ({"word": "x" * 501}, "word= has 501 letters"),
    ],
)
def test_what_cannot_be_asked(run: OpenedRun, query: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        found_by(run, **query)


def test_an_address_asks_for_the_same_again() -> None:
    query = {
        "of": "syntax",
        "group": "obj",
        "a": "2-3",
        "least": "-4",
        "word": "a&b=*",
        "page": "2",
    }
    asked = Asked.of_query(query)
    assert Asked.of_query(dict(parse_qsl(asked.address().removeprefix("?")))) == asked
    assert "page" not in asked.address(page=1)


def test_patterns_are_no_regular_expressions() -> None:
    forms = Forms()
    numbers = forms.add(pa.array(["a.b", "axb", "A.B", "a+b", "Ä", "line\nbreak", "axb"]))
    assert numbers.tolist() == [0, 1, 2, 3, 4, 5, 1]
    like = {
        p: np.flatnonzero(forms.like(p)).tolist() for p in ("a.b", "a*b", "ä", "line*", "*", "(")
    }
    assert like == {
        "a.b": [0, 2],
        "a*b": [0, 1, 2, 3],
        "ä": [4],
        "line*": [5],
        "*": [0, 1, 2, 3, 4, 5],
        "(": [],
    }
