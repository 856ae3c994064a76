"""The page of a comparison: whole, escaped, with the numbers of its tables, and legible figures."""

from __future__ import annotations

from functools import partial

import pyarrow as pa
import pytest

from attnray.config import PROBES
from attnray.metrics.gap import BestPronounRow
from attnray.metrics.rows import whole_schema
from attnray.metrics.syntax import BestRelationRow
from attnray.probe.tables import ProbeRow
from attnray.report.compared.rows import DepthRow, DifferenceRow, MatchRow
from attnray.report.comparison import Member, comparison
from tests.builders.layout import faults, measured
from tests.builders.pages import Page

RELATIONS = ("all", "all_but_punct", "obj", "nsubj", "det", "<i>case</i>")
STRANGE = "bert<script>alert(1)</script>$x$"


def models(count: int) -> list[str]:
    return [STRANGE, *(f"bert-L{number}-H768-of-a-long-name" for number in range(1, count))]


def best(count: int) -> pa.Table:
    """Rows of `syntax_best`, each accuracy its own."""
    rows = [
        {
            "model": model,
            "corpus": "ewt",
            "relation": relation,
            "total": 1000 - number,
            "layer": 2,
            "head": 7,
            "direction": "dependent_to_head",
            "accuracy": 0.5 + place / 1000,
            "ci_low": 0.4,
            "ci_high": 0.6,
            "heldout_accuracy": None if relation == "det" else 0.25 + (place + number) / 100,
            "baseline_heldout_accuracy": 0.1,
        }
        for place, model in enumerate(models(count))
        for number, relation in enumerate(RELATIONS)
    ]
    return pa.Table.from_pylist(rows, whole_schema(BestRelationRow))


def differences(count: int) -> pa.Table:
    names = models(count)
    rows = [
        {
            "model": names[0],
            "corpus": "ewt",
            "other_model": other,
            "metric": "syntax",
            "max_tokens": None,
            "item": item,
            "total": 1000,
            "left_out": 10,
            "other_left_out": 0,
            "heldout_accuracy": 0.5,
            "other_heldout_accuracy": 0.3,
            "difference": 0.2,
            "ci_low": 0.1,
            "ci_high": 0.3,
            "p_value": 0.01,
            "p_holm": None if item == "all" else 0.04,
        }
        for other in names[1:]
        for item in ("all", "obj")
    ]
    return pa.Table.from_pylist(rows, whole_schema(DifferenceRow))


def depth(count: int) -> pa.Table:
    rows = [
        {
            "model": model,
            "corpus": "ewt",
            "layer": layer,
            "depth": (layer - 1) / 5,
            "behaviour": behaviour,
            "heads": 6,
            "share": 0.5,
        }
        for model in models(count)
        for layer in range(1, 7)
        for behaviour in ("broad", "other")
    ]
    return pa.Table.from_pylist(rows, whole_schema(DepthRow))


def matches(count: int) -> pa.Table:
    names = models(count)
    rows = [
        {
            "model": one,
            "corpus": "ewt",
            "other_model": other,
            "layer": 1,
            "head": head,
            "other_layer": 2,
            "other_head": 8 - head,
            "distance": 0.01 * head,
            "mean_distance": 0.2,
            "p_value": 0.001,
            "p_holm": 0.07 if head == 7 else 0.007,
        }
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        for head in range(1, 8)
    ]
    return pa.Table.from_pylist(rows, whole_schema(MatchRow))


def pronouns(count: int) -> pa.Table:
    """Rows of `gap_best`: of masculine pronouns there are none."""
    scores = {"accuracy": 0.7, "ci_low": 0.66, "ci_high": 0.74, "heldout_accuracy": 0.69}
    others = {"layer": 4, "head": 2, "f1": 0.68, "baseline": "nearest", "baseline_f1": 0.491}
    found = scores | others | {"baseline_accuracy": 0.519}
    rows = [
        {"model": model, "corpus": "ewt", "max_tokens": 96, "gender": gender}
        | {"total": 1234 if some else 0, "bias": 0.934 if gender == "all" else None}
        | (found if some else dict.fromkeys(found))
        for model in models(count)
        for gender, some in (("all", True), ("feminine", True), ("masculine", False))
    ]
    return pa.Table.from_pylist(rows, whole_schema(BestPronounRow))


def probes(count: int) -> pa.Table:
    rows = [
        {"model": model, "corpus": "ewt", "probe": probe, "seed": 0}
        | {"train_words": 9, "dev_words": 9, "uas": 0.5, "ci_low": 0.4, "ci_high": 0.6}
        for model in models(count)
        for probe in PROBES
    ]
    return pa.Table.from_pylist(rows, whole_schema(ProbeRow))


@pytest.fixture
def page() -> Page:
    tables = {
        "syntax_best": best(3),
        "gap_best": pronouns(3),
        "differences": differences(3),
        "behaviours_by_depth": depth(3),
        "head_matches": matches(3),
    }
    return Page(comparison(tables).text)


def test_it_is_whole_and_escaped(page: Page) -> None:
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"link", "img", "i"}
    assert not [value for _, attrs in page.tags if (value := attrs.get("src"))]
    assert "bert<script>alert(1)</script>$x$" in page.text
    assert [level for level, _ in page.headings][:2] == [1, 2]


def test_it_has_the_numbers_of_its_tables(page: Page) -> None:
    rows = [row for row in page.rows if row[:1] == ["bert-L2-H768-of-a-long-name"]]
    assert ["bert-L2-H768-of-a-long-name", "2-7", "dependent → head"] in [row[:3] for row in rows]
    assert "50.2%" in next(row for row in rows if "dependent → head" in row)
    together, by_relation = (
        [row for row in page.rows if f"syntax: {item}" in row] for item in ("all", "obj")
    )
    assert len(together) == 2 * len(by_relation) == 4
    assert together[0][2:] == [
        "syntax: all", "50.0%", "30.0%", "+20.0", "+10.0 to +30.0", "0.01", "1,000", "10 / 0",
    ]  # fmt: skip
    assert by_relation[0][-3:] == ["0.04", "1,000", "10 / 0"]
    alike = [STRANGE, "bert-L1-H768-of-a-long-name", "6", "7", "3.5", "20.0"]
    assert alike in [row[:6] for row in page.rows]


def test_heads_that_are_as_near_as_those_without_roles_are_not_shown() -> None:
    table = matches(2)
    chance = table.set_column(table.column_names.index("p_holm"), "p_holm", [[0.05] * len(table)])
    assert "same role" in Page(comparison({"head_matches": table}).text).text
    assert "same role" not in Page(comparison({"head_matches": chance}).text).text


def test_relations_stand_by_their_frequency_with_all_models_and_the_baseline(page: Page) -> None:
    found = [row[0] for row in page.rows if row[1:2] == [STRANGE]]
    assert [name for name in found if name in RELATIONS] == [*RELATIONS]
    assert [row[6] for row in page.rows if row[:2] == ["obj", STRANGE]] == ["10.0%"]


def test_it_leads_to_its_parts_and_to_the_reports_of_its_members() -> None:
    members = [Member("b", ["news"], None), Member("a", ["ewt", "gum"], "../a%20b/report.html")]
    page = Page(comparison({"syntax_best": best(2)}, members).text)
    links = {attributes.get("href") for tag, attributes in page.tags if tag == "a"}
    assert {"#models", "#corpus-1", "#relations-1", "#made", "../a%20b/report.html"} <= links
    rows = [row for row in page.rows if row[0] in ("a", "b")]
    assert rows == [["a", "ewt, gum", "report of a"], ["b", "news", "–"]]


def test_pronouns_beside_the_best_rule(page: Page) -> None:
    rows = {row[1]: row[2:] for row in page.rows if row[:1] == [STRANGE] and row[2:3] == ["96"]}
    scores = ["96", "4-2", "70.0%", "66.0–74.0", "69.0%", "68.0%"]
    rule = ["nearest", "51.9%", "49.1%", "1,234"]
    assert rows == {
        "all": [*scores, "0.93", *rule],
        "feminine": [*scores, "–", *rule],
        "masculine": ["96", *["–"] * 9, "0"],
    }


def test_many_pairs_are_left_to_the_table() -> None:
    tables = {"syntax_best": best(9), "differences": differences(9)}
    shown = Page(comparison(tables).text)
    assert [row for row in shown.rows if "syntax: all" in row]
    assert not [row for row in shown.rows if "syntax: obj" in row]


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 9, 30])
def test_no_two_texts_of_a_figure_overlap(count: int) -> None:
    for name, table in (
        ("syntax_best", best(count)),
        ("gap_best", pronouns(count)),
        ("behaviours_by_depth", depth(count)),
        ("probes", probes(count)),
        *([("head_matches", matches(count))] if count > 2 else []),
    ):
        assert not faults(partial(comparison, {name: table}))


def test_cells_hold_the_held_out_accuracy_or_without_one_the_plain() -> None:
    texts, _ = measured(lambda: comparison({"syntax_best": best(2)}))
    written = sorted(int(text) for text, _ in texts if text.isdigit())
    expected = [
        0.5 + place / 1000 if relation == "det" else 0.25 + (place + number) / 100
        for place in range(2)
        for number, relation in enumerate(RELATIONS)
        if relation != "all_but_punct"
    ]
    expected += [0.1] * (len(RELATIONS) - 2)  # the best offset, where both are held out
    assert written == sorted(int(f"{100 * value:.0f}") for value in expected)
