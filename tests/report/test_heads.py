"""What finder and cards are given: the numbers of the tables, as the page writes them."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnray.report import wording
from attnray.report.findings import Facts, Findings
from attnray.report.page import asked
from attnray.report.sections.finder.numbers import any_heads, heads_data, share
from tests.builders import hand_made

TWIN = "tiny-random-0"


def of_twin(table: pa.Table) -> pa.Table:
    where = table.column_names.index("model")
    return table.set_column(where, "model", pa.array([TWIN] * len(table)))


@pytest.fixture(scope="module")
def data() -> Any:
    twin = {name: of_twin(hand_made.FINDER[name]) for name in ("syntax_gains", "patterns")}
    both = {name: pa.concat_tables([hand_made.FINDER[name], table]) for name, table in twin.items()}
    found = asked(Findings.of(hand_made.FINDER | both, Facts(hand_made.MODEL, twin=TWIN)))
    return json.loads(json.dumps(heads_data(found)))


@given(st.floats(-1, 1))
def test_a_share_is_rounded_as_it_is_written(value: float) -> None:
    shown = share(value)
    assert wording.points(shown) == wording.points(value)
    assert wording.percent(shown).replace("-0.0", "0.0") == wording.percent(value).replace(
        "-0.0", "0.0"
    )


def test_every_head_has_its_numbers(data: Any) -> None:
    by_name = {each["key"]: each for each in data["questions"]}
    for row in hand_made.FINDER["syntax_gains"].to_pylist():
        name = row["relation"].replace("\x1b", "\ufffd")
        question = by_name[f"relation:{name}"]
        at = (row["layer"] - 1) * data["heads"] + row["head"] - 1
        assert question["total"] == row["total"]
        assert wording.percent(question["accuracy"][at]) == wording.percent(row["accuracy"])
        assert wording.percent(question["twin"][at]) == wording.percent(row["accuracy"])
        assert wording.percent(question["baseline"]) == wording.percent(row["baseline_accuracy"])
        assert wording.points(question["gain"][at]) == wording.points(row["difference"])
        assert wording.signed_interval(
            question["low"][at], question["high"][at]
        ) == wording.signed_interval(row["difference_ci_low"], row["difference_ci_high"])
        p_value = row["p_value"] if row["p_holm"] is None else row["p_holm"]
        assert wording.p_value(question["p"][at]) == wording.p_value(p_value)
        assert question["direction"][at] == {"d": "d→h", "h": "h→d"}[row["direction"][0]]


def test_every_head_has_its_patterns(data: Any) -> None:
    by_key = {each["key"]: each for each in data["patterns"]}
    for row in hand_made.FINDER["patterns"].to_pylist():
        pattern = by_key[f"pattern:{row['pattern']}"]
        at = (row["layer"] - 1) * data["heads"] + row["head"] - 1
        assert pattern["value"][at] == pytest.approx(row["value"])
        assert pattern["twin"][at] == pattern["value"][at]
        assert pattern["nats"] == row["pattern"].startswith("entropy")


def test_the_nearest_heads_by_divergence(data: Any) -> None:
    nearest = [(other // data["heads"] + 1, other % data["heads"] + 1) for other, _ in
               data["nearest"][0]]  # fmt: skip
    assert nearest == [(1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (1, 7)]
    assert [value for _, value in data["nearest"][0]] == [0.001, 0.002, 0.003, 0.004, 0.005, 0.006]


def test_a_run_with_patterns_alone() -> None:
    found = Findings.of(hand_made.some("patterns", "heads"), hand_made.facts())
    assert any_heads(found)
    data: Any = heads_data(found)
    assert (data["layers"], data["heads"], data["questions"], data["nearest"]) == (3, 2, [], [])
    assert data["behaviours"][0] == "next token"
    assert data["behaviours"][5] == "", "it has no behaviour"


def test_without_single_heads_there_is_no_finder() -> None:
    assert not any_heads(Findings.of(hand_made.some("syntax_best"), hand_made.facts()))
