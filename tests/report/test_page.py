"""The page: whole by itself, escaped, and with the numbers of the tables."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from attnray.report import bundle
from attnray.report.findings import Facts
from attnray.report.page import page as page_of
from tests.builders import hand_made
from tests.builders.hand_made import some
from tests.builders.pages import Page

DIFFERENCE = ("+38.2", "+35.0 to +41.4", "0.031")
SYNTAX_ROW = ("obj", "1,211", "3-1 d→h", "74.0%", "71.2–76.6", "73.3%", "−2")


def write(tables: hand_made.Tables, facts: Facts | None = None) -> str:
    return page_of(tables, facts or hand_made.facts()).text


@pytest.fixture(scope="module")
def text() -> str:
    return write(hand_made.ALL)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_nothing_is_loaded_and_one_script_runs(text: str, page: Page) -> None:
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"link", "img", "iframe", "object", "embed", "base", "image"}
    kinds = [attributes["type"] for tag, attributes in page.tags if tag == "script"]
    assert kinds.count("module") == 1
    assert {*kinds} <= {"module", "application/json"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "tables/"))
    style = bundle.style()
    assert style in text
    assert "url(" not in style
    assert "@import" not in style


def test_ids_are_unique_and_references_found(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for name in ("href", "xlink:href", "aria-labelledby"):
            if name in attributes and not (attributes[name] or "").startswith("tables/"):
                assert (attributes[name] or "").removeprefix("#") in ids


def test_sections_in_order(page: Page) -> None:
    assert page.headings == [
        (1, "What the attention heads of tiny <model> do"),
        (2, "Find a head"),
        (2, "What was run"),
        (2, "In one look"),
        (2, "Special tokens and entropy"),
        (2, "Behaviours"),
        (2, "Importance"),
        (2, "Best head per relation"),
        (2, "Coreference"),
        (2, "Ambiguous pronouns"),
        (2, "Probes"),
        (2, "What was left out"),
        (2, "Notes"),
        (2, "How to make this again"),
    ]


def test_figures_and_tables_have_captions(page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    assert tags.count("figure") == tags.count("figcaption") == 6
    assert tags.count("table") == tags.count("caption") == 9
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    images = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert all(each["role"] == "img" and each["aria-label"] for each in images)


def test_what_comes_from_a_corpus_is_escaped(text: str, page: Page) -> None:
    assert page.row(hand_made.HOSTILE)
    assert page.row(hand_made.ENTITY)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&amp;lt;" in text
    assert "made & <found>" in page.text
    assert "no <mentions>" in page.text
    assert page.row("a <setting>") == ["a <setting>", '"quoted" & more']
    assert "\x1b" not in text


def test_every_relation_has_its_row(page: Page) -> None:
    start = next(n for n, row in enumerate(page.rows) if row[0] == "Relation") + 1
    shown = [row[0] for row in page.rows[start : start + len(hand_made.RELATIONS)]]
    frequent = sorted(hand_made.RELATIONS[2:], key=lambda row: -row["total"])
    expected = ["all", "all_but_punct", *(row["relation"] for row in frequent)]
    assert shown == [name.replace("\x1b", "\ufffd") for name in expected]
    assert page.row("obj") == [*SYNTAX_ROW, "35.8%", "35.1%", *DIFFERENCE]
    assert page.row("amod")[2:4] == ["10-1 h→d", "10.0%"]


def test_cells_are_sorted_by_the_numbers_of_the_tables(page: Page) -> None:
    orders = [attributes.get("data-order") for tag, attributes in page.tags if tag == "td"]
    for name in ("syntax_best", "coreference_best", "gap_best"):
        for row in hand_made.ALL[name].to_pylist():
            for column in ("total", "accuracy", "heldout_accuracy", "difference", "p_holm"):
                assert row[column] is None or str(row[column]) in orders
    assert all(math.isfinite(float(order or 0)) for order in orders if order is not None)


def test_a_missing_value_is_a_dash(page: Page) -> None:
    rare = page.row("rare")
    known = ["rare", "1", "3-1 d→h", "100.0%", "–", "–", "−2", "35.8%", "–"]
    assert rare == [*known, "–", "–", "–"]
    assert page.row("nominal") == ["nominal", "128", "0", *["–"] * 10]


def test_coreference_beside_its_baselines(page: Page) -> None:
    expected = ["pronoun", "128", "800", "2-1", "65.0%", "60.0–70.0", "36.9%", "54.8%"]
    assert page.row("pronoun") == [*expected, "64.0%", "54.8%", *DIFFERENCE]


def test_pronouns_beside_the_baselines(page: Page) -> None:
    head = ["1,500", "1,234", "4-2", "70.0%", "66.0–74.0", "68.0%", "69.0%", "67.0%"]
    baselines = ["51.9%", "49.1%", "0.0%", "0.0%"]
    assert page.row("feminine") == ["feminine", "96", *head, *baselines, *DIFFERENCE]
    assert page.row("masculine") == ["masculine", "96", "0", "0", *["–"] * 13]
    assert "56 of 1,556 passages are left out: " in page.text
    said = "cut to 96 pieces: 0.93 for head 4-2; 1.02 (nearest)."
    assert f"Bias, the F1 of feminine pronouns over that of masculine ones, in passages {said}" in (
        page.text
    )


def test_pronouns_in_one_look(page: Page) -> None:
    assert (
        "Of 1,234 ambiguous pronouns of passages cut to 96 pieces the best head finds 69.0%, "
        in (page.text)
    )
    assert (
        "in 1 of 1 genders at 96 pieces: feminine +38.2 points (4-2; 1,234 pronouns)." in page.text
    )


def test_behaviours_are_counted_and_named(page: Page) -> None:
    assert page.row("next token") == ["next token", "2", "1-1, 1-2"]
    assert page.row("none of these") == ["none of these", "2", "3-1, 3-2"]
    assert "of one layer differ by 0.250 nats on average, two of different layers by 0.375" in (
        page.text
    )
    assert "with p < 0.001 (9,999 permutations)" in page.text


def test_probes_and_their_differences(page: Page) -> None:
    row = page.row("attention and words", hand_made.MODEL)
    model, vectors = hand_made.MODEL, "input embeddings"
    assert row == [
        "attention and words",
        model,
        "0",
        vectors,
        "55.0%",
        "50.0–60.0",
        "56.0%",
        "62.0%",
    ]
    row = page.row("attention and words", "right branching")
    assert row[3:] == ["+24.0", "+21.0 to +27.0", "< 0.001"]


def test_probes_in_one_look(page: Page) -> None:
    said = "find the syntactic head: right branching 31.0%, attention and words 55.0%."
    assert f"Of 21,000 words of made probes {said}" in page.text


def test_the_twin_stands_beside_the_model() -> None:
    tables = dict(hand_made.ALL)
    twin = "twin <of it>"
    for name, content in hand_made.ALL.items():
        renamed = content.set_column(0, "model", pa.array([twin] * len(content)))
        tables[name] = pa.concat_tables([content, renamed])
    page = Page(write(tables, hand_made.facts(twin=twin)))
    assert "beside its twin with random weights, twin <of it>" in page.text
    assert page.row("obj")[-1] == "73.3%"
    assert page.row("pronoun")[-1] == "64.0%"
    assert page.row("feminine")[-1] == "69.0%"
    assert page.row("next token") == ["next token", "2", "2", "1-1, 1-2"]


def test_counts_of_the_corpus(page: Page) -> None:
    assert page.row("made", "sentence") == [
        *("made", "sentence", "patterns, syntax"),
        *("28", "2,001", "25,147", "–", "–", "–"),
    ]
    too_long = page.row("examples with more pieces than the model accepts")
    assert too_long[1:] == ["made", "sentence", "3"]
    assert page.row("odd item")[1:] == ["made", "sentence", "17"]
    assert page.row("mentions not wholly before the cut of their document")[3] == "14,882"


def test_in_one_look(page: Page) -> None:
    assert (
        "Of 5,000 dependencies the best head finds 73.3%, the best fixed offset 35.1%, both held "
        "out: +38.2 points (95% interval +35.0 to +41.4; p < 0.001). Best on all cases is 3-12 "
        "(dependent → head)." in page.text
    )
    # Of eight relations that are not punct, one is not tested.
    assert (
        "in 7 of 7 relations (punct left out): obj +38.2 points (3-1; 1,211 cases), " in page.text
    )
    assert "points (3-1; 98 cases), and 1 more." in page.text
    assert "Of 1 more nothing can be claimed: fewer than 5 " in page.text
    assert "Of 1,145 anaphors of documents cut to 128 pieces the best head finds 64.0%" in page.text
    assert "in 2 of 2 types of mention at 128 pieces: pronoun +38.2 points (2-1; 800 anaphors)" in (
        page.text
    )
    # Heads 1-1 and 1-2 give 0.3 and 0.6 to [CLS], 0.4 and 0.7 to [SEP].
    assert (
        "By the mean over 1,234 examples of made and the heads of a layer, [CLS] gets most "
        "attention in layer 1 (45.0%), [SEP] in layer 1 (55.0%)." in page.text
    )


def test_heads_on_neighbours(page: Page) -> None:
    # To the previous token 2-1 and 3-2 give 0.8, and 3-1 just half.
    assert (
        "On average more than half of the attention goes to the previous token in 2 heads "
        "(2-1, 3-2), to the next token in 3 heads (2-1, 3-1, 3-2)." in page.text
    )


def test_the_entropy_of_uniform_attention_is_said() -> None:
    known = write(some("patterns"), hand_made.facts(uniform=2.714))
    assert "has 2.71 nats" in known


@pytest.mark.parametrize(
    ("names", "figures"),
    [
        (["patterns"], ["special_tokens", "entropy"]),
        (["syntax_best"], ["syntax"]),
        (["coreference_best", "coreference_baselines"], ["coreference"]),
        (["gap_best", "gap_baselines"], []),
        (["corpus"], []),
    ],
)
def test_a_run_with_some_tables(names: list[str], figures: list[str]) -> None:
    report = page_of(some(*names), hand_made.facts(notes=()))
    assert list(report.figures) == figures
    shown = Page(report.text)
    assert [tag for tag, _ in shown.tags].count("svg") == len(figures)
    assert (2, "Notes") not in shown.headings
    if names != ["corpus"]:
        assert (2, "In one look") in shown.headings


def test_how_it_was_made_and_is_cited(text: str, page: Page) -> None:
    assert "<pre><code>attnray run corpus=&lt;made&gt;</code></pre>" in text
    assert (
        f"Attention heads of {hand_made.MODEL} on made & <found>, measured by attnray " in page.text
    )
    assert "DataTables and its extensions (MIT)" in page.text
    assert "<pre>" not in write(some("corpus"), hand_made.facts(command=""))


def test_same_bytes_twice() -> None:
    first, second = (page_of(hand_made.ALL, hand_made.facts()) for _ in range(2))
    assert first == second
    assert len(first.figures) == 6
