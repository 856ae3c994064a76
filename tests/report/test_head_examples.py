"""Example sentences of heads: what they are chosen by, and that they are those of the run."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from attnray.config import Config
from attnray.metrics.rows import whole_schema
from attnray.metrics.syntax import DIRECTIONS, RelationGainRow
from attnray.reading import RunReader, StoredExample
from attnray.report import head_examples as module
from attnray.report.head_examples import head_examples
from attnray.report.picks import drawn
from tests.builders.browser import barriers
from tests.builders.views import script_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api").expect

#: The run that is looked at is made by a job.
pytestmark = pytest.mark.slow

#: Of the tiny model.
LAYERS, HEADS = 2, 3
HEADS_OF_ALL = [(layer, head) for layer in (1, 2) for head in (1, 2, 3)]


@pytest.fixture(scope="module")
def data(undisturbed: Path) -> dict[str, Any]:
    """What the report has of example sentences, by id."""
    text = (undisturbed / "report.html").read_text("utf-8")
    found = re.findall(r'<script type="application/json" id="(examples[^"]*)">(.*?)</script>', text)
    return {name: json.loads(value) for name, value in found}


def rows_of(card: Mapping[str, Any]) -> list[list[Any]]:
    """Everything that is shown of a head."""
    return [row for kind in card["kinds"] for rows in kind["groups"].values() for row in rows]


def metric_of(kind: Mapping[str, Any]) -> str:
    return "syntax" if kind["arcs"].endswith("in the treebank") else "coreference"


@pytest.fixture(scope="module")
def runs(undisturbed: Path) -> dict[str, RunReader]:
    """The run, open at the examples of each metric."""
    return {role: RunReader(undisturbed, role=role) for role in ("syntax", "coreference")}


Runs = Mapping[str, RunReader]


def number_of(data: Mapping[str, Any], card: Mapping[str, Any], row: list[Any]) -> int:
    """The number of an example in the run."""
    source = data["examples"]["texts"][card["examples"][row[0]]]["source"]
    found = re.match(r"example (\d+) ", source)
    assert found
    return int(found[1])


def test_every_head_has_right_and_wrong_ones_as_its_cases_say(
    data: dict[str, Any], runs: Runs
) -> None:
    for layer, head in HEADS_OF_ALL:
        card, seen = data[f"examples-{layer}-{head}"], set()
        assert len(rows_of(card)) <= 30
        for kind in card["kinds"]:
            metric, direction = metric_of(kind), DIRECTIONS[int(kind["attended"])]
            looks = direction if metric == "syntax" else None
            cases = runs[metric].cases(metric, layer, head, looks).to_pylist()
            for group, rows in kind["groups"].items():
                for row in rows:
                    place = (number_of(data, card, row), row[1])
                    found = [each for each in cases if (each["example"], each["word"]) == place]
                    answers = [each.get("antecedents") or [each["head_word"]] for each in found]
                    case = found[answers.index(row[2])]
                    assert (row[3] in row[2]) == case["right"]
                    assert group == "random" or (group == "right") == case["right"]
                    name = case["relation" if metric == "syntax" else "mention_type"]
                    assert name.partition(":")[0] == kind["name"]
                    seen.add((metric, group))
        assert ("syntax", "random") in seen


def test_weights_are_those_of_the_head_and_the_surest_have_the_greatest(
    data: dict[str, Any], runs: Runs
) -> None:
    for layer, head in HEADS_OF_ALL:
        card = data[f"examples-{layer}-{head}"]
        planes = np.frombuffer(zlib.decompress(base64.b64decode(card["weights"])), np.uint8)
        low, high = planes.reshape(2, -1).astype(float)
        examples: dict[int, StoredExample] = {}
        for kind in card["kinds"]:
            for group, rows in kind["groups"].items():
                for row in rows:
                    examples[row[0]] = runs[metric_of(kind)][number_of(data, card, row)]
                    between = examples[row[0]].attention(layer, head, words=True)
                    between = between.T if kind["attended"] else between
                    assert row[4] == pytest.approx(between[row[1], row[3]], abs=0.0006)
                    if metric_of(kind) == "syntax":
                        assert row[4] > np.delete(between[row[1]], row[1]).max() - 0.0006
                if group != "random":
                    weights = [row[4] for row in rows]
                    assert weights == sorted(weights, reverse=True)
                    assert len({row[0] for row in rows}) == len(rows), "each example once"
        maps = [examples[place].attention(layer, head).ravel() for place in range(len(examples))]
        assert np.allclose((low + 256 * high) / 65535, np.concatenate(maps), atol=1e-5)


def gains(rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    nothing = dict.fromkeys(RelationGainRow.__annotations__)
    whole = [{**nothing, "model": "m", "corpus": "c", "direction": DIRECTIONS[0]} | r for r in rows]
    schema = whole_schema(RelationGainRow)
    return {"syntax_gains": pa.Table.from_pylist(whole, schema)}


def row(
    head: int, relation: str, difference: float | None, p_holm: float | None, total: int = 10
) -> dict[str, Any]:
    values = {"relation": relation, "difference": difference, "p_holm": p_holm, "total": total}
    return {"layer": 1, "head": head, **values}


def test_a_head_is_shown_with_what_it_is_best_at_and_what_else_it_finds(runs: Runs) -> None:
    some = [row(1, "nsubj", -0.1, 1.0), row(1, "det", 0.2, 0.5), row(1, "obj", 0.1, 0.01)]
    more = [row(1, "all", 0.9, None), row(1, "advmod", 0.1, 0.001), row(1, "amod", -0.5, 0.001)]
    unsure = [row(2, "nsubj", -0.1, 1.0), row(2, "det", 0.2, 0.5)]
    unknown = [row(3, "nsubj", None, None, 5), row(3, "obj", None, None, 9)]
    tables = gains([*some, *more, *unsure, *unknown, row(3, "none such", 0.9, 0.0)])
    found: Any = head_examples(tables, runs.__getitem__, Config(), "")
    names = [[kind["name"] for kind in found[f"examples-1-{head}"]["kinds"]] for head in (1, 2, 3)]
    assert names == [["obj", "advmod"], ["det"], ["obj"]], "else the most frequent"


def test_the_seed_decides_what_is_drawn(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = gains([row(1, "nsubj", 0.1, 0.5)])
    monkeypatch.setattr(module, "SENTENCES", 40)
    first, again, other = (
        head_examples(tables, runs.__getitem__, replace(Config(), seed=seed), "")
        for seed in (0, 0, 1)
    )
    assert first == again != other
    run = runs["syntax"]
    numbers = drawn(run, 40, 0)
    assert len(numbers) == len(set(numbers)) <= 40
    assert numbers == sorted(numbers)
    assert drawn(run, 4 * len(run), 0) == run.stored


def test_only_what_is_stored_is_drawn(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunReader, "stored", [3, 5, 8])
    assert drawn(runs["syntax"], 400, 0) == [3, 5, 8]
    monkeypatch.setattr(RunReader, "stored", [])
    found = head_examples(gains([row(1, "nsubj", 0.1, 0.5)]), runs.__getitem__, Config(), "")
    assert [*found] == ["examples"]


def test_the_card_lists_them_and_shows_the_one_that_is_chosen(
    tab: Page, data: dict[str, Any], tmp_path: Path
) -> None:
    card = max(
        (value for value in data.values() if "kinds" in value), key=lambda v: len(v["kinds"])
    )
    head = next(name for name, value in data.items() if value is card).partition("-")[2]
    begin = f'headExamples(document.getElementById("view"), {head.replace("-", ", ")});'
    tab.goto(script_page(tmp_path, begin, data).as_uri())
    tab.locator("[aria-busy=false]").wait_for()
    assert barriers(tab) == []
    choice = tab.get_by_label("Kind of cases")
    for number, kind in enumerate(card["kinds"]):
        if len(card["kinds"]) > 1:
            choice.select_option(str(number))
        assert f"Of {kind['cases']:,} cases" in tab.locator(".examples-about").inner_text()
        for group, title in (("right", "Surest right"), ("wrong", "Surest wrong")):
            shown = tab.locator(".examples-list > div", has_text=title).get_by_role("button")
            assert shown.count() == len(kind["groups"][group])
        shown = tab.locator(".examples-list > div", has_text="At random").get_by_role("button")
        for button, (place, word, answers, picked, weight) in zip(
            shown.all(), kind["groups"]["random"], strict=True
        ):
            words = data["examples"]["texts"][card["examples"][place]]["words"]
            button.click()
            selected = tab.locator("[role=option][aria-selected=true]")
            expect(selected.locator("bdi")).to_have_text(words[word])
            expect(tab.locator("[role=option]")).to_have_count(len(words))
            text = button.inner_text()
            assert text.startswith("Right" if picked in answers else "Wrong")
            assert f"{words[picked]} {weight:.1%}" in text.replace("\xa0", " ")
            asked = tab.locator("ol.sentence-words").nth(0).locator(".asked")
            assert asked.count() == (len(answers) if kind["attended"] else 1)


def test_without_examples_the_card_says_so(tab: Page, tmp_path: Path) -> None:
    begin = 'headExamples(document.getElementById("view"), 1, 1);'
    tab.goto(script_page(tmp_path, begin, {}).as_uri())
    expect(tab.locator("#view")).to_contain_text("No example sentences")
