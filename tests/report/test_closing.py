"""The closing lines of a run, letter by letter."""

from __future__ import annotations

from attnray.metrics.syntax import BestRelationRow
from attnray.report.closing import closing_lines
from tests.builders import hand_made
from tests.builders.hand_made import MODEL, some

RELATIONS = """\
all      3-12  dependent_to_head   43.1%  (best offset +1: 31.6%)  5,000 cases
obj       3-1  dependent_to_head   74.0%  (best offset -2: 35.8%)  1,211 cases
amod     10-1  head_to_dependent    9.9%  (best offset -2: 35.8%)     40 cases
a\ufffd[31mb   3-1  dependent_to_head  100.0%  (best offset -2: 35.8%)      2 cases"""

COREFERENCE = """\
coreference  2-1  128 pieces  65.0%  (nearest: 36.9%, head_match: 54.8%)  1,145 anaphors
coreference  2-1  512 pieces  65.0%  (nearest: 36.9%, head_match: 54.8%)  1,145 anaphors"""


def of_relations(rows: list[hand_made.Row]) -> str:
    return closing_lines({"syntax_best": hand_made.table(BestRelationRow, rows)}, MODEL)


def test_relations_from_the_most_frequent_without_punct() -> None:
    rows = [
        hand_made.relation("amod", 40, 0.0991, layer=10, direction="head_to_dependent"),
        hand_made.relation("a\x1b[31mb", 2, 1.0),
        hand_made.relation("punct", 800),
        hand_made.relation("obj", 1211),
        hand_made.relation("all_but_punct", 4200),
        hand_made.RELATIONS[0],
    ]
    assert of_relations(rows) == RELATIONS


def test_no_more_than_six_relations() -> None:
    lines = of_relations([hand_made.relation(f"r{number}", 100 - number) for number in range(9)])
    assert [line.split()[0] for line in lines.splitlines()] == [f"r{n}" for n in range(6)]


def test_coreference_over_all_anaphors_for_every_cut() -> None:
    tables = {
        "coreference_best": hand_made.coreference_best((512, 128)),
        "coreference_baselines": hand_made.coreference_baselines((512, 128)),
    }
    assert closing_lines(tables, MODEL) == COREFERENCE


def test_pronouns_over_all_genders() -> None:
    line = "gap  4-2  96 pieces  70.0%  (nearest: 51.9%, head_match: 0.0%)  1,234 pronouns"
    assert closing_lines(some("gap_best", "gap_baselines"), MODEL) == line


def test_probes_by_the_mean_of_their_seeds() -> None:
    assert closing_lines(some("probes"), MODEL).splitlines() == [
        "probe right branching      UAS  31.0%  21,000 words",
        "probe attention and words  UAS  55.0%  21,000 words",
    ]


def test_a_missing_value_is_a_dash() -> None:
    row = hand_made.relation("all", 0) | {"accuracy": None, "baseline_accuracy": None}
    assert of_relations([row]) == "all  3-1  dependent_to_head  –  (best offset -2: –)  0 cases"


def test_tables_without_heads_say_nothing() -> None:
    assert closing_lines(some("patterns", "corpus"), MODEL) == ""
