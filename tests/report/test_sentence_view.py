"""The sentence view in a real browser: what it shows is the attention of the run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree

import numpy as np
import pytest

from attnray.corpus.example import Example
from attnray.reading import StoredExample
from attnray.report.sentences import sentence_data
from tests.builders.browser import barriers
from tests.builders.views import view_page

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api").expect

pytestmark = pytest.mark.slow

#: Pieces of each word; the third has none, as where a tokenizer drops it.
PIECES = [["un", "##der", "##stand"], ["it"], [], ["now", "##adays"], ["."]]
WORDS = ["Understand", "it", "_", "nowadays", "."]


def example_of(pieces: list[list[str]], words: list[str]) -> Example:
    tokens = ["[CLS]", *(piece for word in pieces for piece in word), "[SEP]"]
    owner = [-1, *(number for number, word in enumerate(pieces) for _ in word), -1]
    size = len(tokens)
    return Example(
        index=0,
        document="d",
        sentence="s",
        unit=0,
        fold=0,
        batch=0,
        pieces=np.arange(size, dtype=np.int32),
        tokens=tokens,
        types=np.zeros(size, np.int8),
        roles=np.zeros(size, np.int8),
        word_of_piece=np.array(owner, np.int32),
        words=words,
        heads=[0] * len(words),
        relations=["root"] * len(words),
        mentions=[],
    )


def weights_for(size: int, seed: int = 0) -> Any:
    """Rows that sum to 1, most of them with few great weights."""
    drawn = np.random.default_rng(seed).gamma(0.3, size=(size, size))
    return drawn / drawn.sum(1, keepdims=True)


EXAMPLE = example_of(PIECES, WORDS)
WEIGHTS = weights_for(len(EXAMPLE.tokens))


def stored(example: Example, weights: np.ndarray) -> StoredExample:
    """As the reader of a run gives it."""

    class Reader:
        heads = (1, 1)

        def read(self, *_: object) -> np.ndarray:
            return weights

    return StoredExample.of(example, lambda: (Reader(), 0))  # type: ignore[arg-type,return-value]


Shows = Callable[..., "Page"]


@pytest.fixture
def shows(tab: Page, tmp_path: Path) -> Shows:
    """Opens a view and waits until it is there."""

    def show(
        example: Example = EXAMPLE,
        weights: np.ndarray = WEIGHTS,
        held: int | None = None,
        **data: Any,
    ) -> Page:
        data = {"arcs": [(3, 0)], "label": "obj in the treebank", "cite": "Head <3-1>"} | data
        path = view_page(tmp_path, sentence_data(example, weights, **data), held=held)
        tab.goto(path.as_uri())
        tab.locator("#view[aria-busy=false]").wait_for()
        return tab

    return show


def words_of(page: Page) -> Locator:
    return page.get_by_role("option")


def numbers(page: Page) -> tuple[list[str], list[str]]:
    """What stands beside the words on the left and on the right."""
    left, right = page.locator("ol.sentence-words").all()
    beside = "all => all.map(each => each.children[1].textContent)"
    return tuple(side.locator("li").evaluate_all(beside) for side in (left, right))


def same(shown: list[str], expected: np.ndarray) -> None:
    """Every weight is shown to a tenth of a percent point, and zeros not at all."""
    assert len(shown) == len(expected)
    for text, weight in zip(shown, expected, strict=True):
        assert bool(text) == (round(weight * 65535) > 0)
        assert abs(float(text.rstrip("%") or 0) - 100 * weight) < 0.052


def all_are_shown(page: Page, expected: np.ndarray) -> None:
    page.get_by_label("least weight").fill("0")
    words = words_of(page).all()
    assert len(words) == len(expected)
    for number, word in enumerate(words):
        word.click()
        left, right = numbers(page)
        same(right, expected[number])
        same(left, expected[:, number])


@pytest.mark.parametrize("merge", ["mean", "first", "max"])
def test_numbers_between_words_are_those_of_the_run(shows: Shows, merge: str) -> None:
    page = shows(merge=merge)
    all_are_shown(page, stored(EXAMPLE, WEIGHTS).attention(1, 1, words=True, merge=merge))


def test_numbers_between_pieces_and_special_tokens_are_those_of_the_run(shows: Shows) -> None:
    page = shows()
    page.get_by_role("checkbox", name="word pieces").check()
    page.get_by_label("special tokens").check()
    assert words_of(page).locator("bdi").all_text_contents() == EXAMPLE.tokens
    all_are_shown(page, WEIGHTS)
    page.get_by_label("special tokens").uncheck()
    assert words_of(page).locator("bdi").all_text_contents() == EXAMPLE.tokens[1:-1]
    all_are_shown(page, WEIGHTS[1:-1, 1:-1])


def named(page: Page, word: str) -> Locator:
    return page.get_by_role("option").filter(
        has=page.locator("bdi", has_text=re.compile(f"^{word}$"))
    )


def drawn(page: Page, kind: str) -> int:
    return page.locator(f".sentence-lines path.{kind}").count()


def test_pointing_shows_what_a_word_attends_to_and_is_attended_by(shows: Shows) -> None:
    page = shows()
    between = stored(EXAMPLE, WEIGHTS).attention(1, 1, words=True)
    out, into = ((between[3] >= 0.05), (between[:, 3] >= 0.05))
    expect(page.locator(".sentence-active")).to_have_count(0)
    assert drawn(page, "from") == (between >= 0.05).sum()
    assert drawn(page, "arc") == 1
    named(page, "nowadays").hover()
    expect(page.locator(".sentence-active")).to_have_count(1)
    assert (drawn(page, "from"), drawn(page, "to")) == (out.sum(), into.sum())
    for number, word in enumerate(words_of(page).all()):
        expect(word).to_have_css("opacity", "1" if number == 3 or into[number] else "0.35")
    assert [bool(text) for text in numbers(page)[1]] == out.tolist()
    attends, attended = page.locator(".sentence-said > div").all()
    order = [number for number in np.argsort(-between[3]) if out[number]]
    shown = attends.locator("li:has(span)").all_inner_texts()
    assert shown == [f"{WORDS[number]} {between[3, number]:.1%}" for number in order]
    special = WEIGHTS[[5, 6]][:, [0, -1]].sum(1).mean()
    assert f"special tokens, left out: {special:.1%}" in attends.inner_text()
    assert attended.locator("li:has(span)").count() == into.sum()
    page.get_by_role("heading").first.hover()
    expect(page.locator(".sentence-active")).to_have_count(0)


def test_a_click_holds_a_word_and_escape_lets_it_go(shows: Shows) -> None:
    page = shows()
    held = page.locator("[role=option][aria-selected=true]")
    named(page, "it").click()
    expect(held).to_contain_text("it")
    named(page, "nowadays").hover()
    expect(page.locator(".sentence-said strong").first).to_have_text("it")
    named(page, "nowadays").click()
    expect(held).to_contain_text("nowadays")
    page.keyboard.press("Escape")
    expect(held).to_have_count(0)
    expect(page.locator(".sentence-active")).to_have_count(0)
    page.locator("ol.sentence-words").nth(1).locator("li").nth(1).click()
    expect(held).to_contain_text("it")
    page.keyboard.press("Escape")
    expect(held).to_have_count(0)
    named(page, "it").click()
    named(page, "it").click()
    expect(held).to_have_count(0)


def test_keys_go_through_the_words(shows: Shows) -> None:
    page = shows()
    page.get_by_label("least weight").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    focused = page.locator("[role=option]:focus bdi")
    expect(focused).to_have_text("Understand")
    for key, word in (
        ("ArrowDown", "it"),
        ("End", "."),
        ("ArrowDown", "."),
        ("ArrowUp", "nowadays"),
    ):
        page.keyboard.press(key)
        expect(focused).to_have_text(word)
        expect(page.locator(".sentence-said strong").first).to_have_text(word)
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    expect(focused).to_have_text("Understand")
    expect(page.locator("[role=option][aria-selected=true] bdi")).to_have_text("nowadays")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("Understand")


def test_the_slider_leaves_out_lesser_weights(shows: Shows) -> None:
    page = shows()
    between = stored(EXAMPLE, WEIGHTS).attention(1, 1, words=True)
    for percents in (0, 12, 30.5):
        page.get_by_label("least weight").fill(str(percents))
        expect(page.locator("output")).to_have_text(f"{percents:.1f}%")
        assert drawn(page, "from") == ((between > 1e-5) & (between >= percents / 100)).sum()


def test_in_one_row_lines_are_arcs_above(shows: Shows) -> None:
    page = shows(held=3)
    before = numbers(page)
    page.get_by_label("one row").check()
    words = [word.bounding_box() for word in words_of(page).all()]
    assert len({round(box["y"]) for box in words if box}) == 1
    expect(page.locator("[role=option][aria-selected=true] bdi")).to_have_text("nowadays")
    numbered = "all => [1, 2].map(at => all.map(each => each.children[at].textContent))"
    assert words_of(page).evaluate_all(numbered) == list(before)
    for path in page.locator(".sentence-lines path").all():
        box = path.bounding_box()
        assert box
        assert words[0]
        assert box["y"] + box["height"] / 2 < words[0]["y"]


def test_the_matrix_goes_with_the_lines(shows: Shows) -> None:
    page = shows()
    matrix = page.locator("canvas.sentence-matrix")
    box = matrix.bounding_box()
    assert box
    cell = 18
    origin = box["width"] - 5 * cell
    query, key = 3, 1
    before = matrix.evaluate("each => each.toDataURL()")
    matrix.hover(position={"x": origin + (key + 0.5) * cell, "y": origin + (query + 0.5) * cell})
    between = stored(EXAMPLE, WEIGHTS).attention(1, 1, words=True)
    expect(page.locator(".sentence-said > p")).to_have_text(
        f"nowadays attends to it with {between[query, key]:.1%}."
    )
    expect(page.locator("li.held").first).to_contain_text("nowadays")
    pointed = matrix.evaluate("each => each.toDataURL()")
    named(page, "nowadays").hover()
    expect(page.locator(".sentence-said > p")).to_have_count(0)
    assert len({before, pointed, matrix.evaluate("each => each.toDataURL()")}) == 3
    matrix.click(position={"x": origin + 2, "y": origin + 1.5 * cell})
    expect(page.locator("[role=option][aria-selected=true] bdi")).to_have_text("it")


def test_the_lines_are_saved_as_a_file_of_their_own(shows: Shows) -> None:
    page = shows(held=3, cite="Head <3-1> & others")
    lines = page.locator(".sentence-lines path").count()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    root = ElementTree.parse(download.value.path()).getroot()
    svg = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{svg}path")) == lines
    assert root.findtext(f"{svg}metadata") == root.findtext(f"{svg}title") == "Head <3-1> & others"
    texts = [each.text for each in root.findall(f"{svg}text")]
    shown = [text for side in numbers(page) for text in side if text]
    assert sorted(texts) == sorted([*WORDS, *WORDS, *shown, "Head <3-1> & others"])  # type: ignore[type-var]


def test_the_citation_is_copied_or_where_it_cannot_be_shown(shows: Shows, tab: Page) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = shows()
    page.get_by_role("button", name="Copy citation").click()
    expect(page.locator(".sentence-note")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "Head <3-1>"
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.get_by_role("button", name="Copy citation").click()
    expect(page.locator(".sentence-note")).to_have_text("Head <3-1>")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_nothing_bars_people_from_it(
    shows: Shows, tab: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)
    page = shows(held=3)
    for label in ("special tokens", "word pieces", "one row"):
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_label(label).check()


def test_scripts_that_run_from_right_to_left_or_without_spaces(shows: Shows) -> None:
    persian = ["من", "می\u200cخواهم", "کتاب", "را", "."]
    page = shows(example_of([[word] for word in persian], persian), weights_for(7))
    assert words_of(page).locator("bdi").all_text_contents() == persian
    page.get_by_label("one row").check()
    places = [word.bounding_box() for word in words_of(page).all()]
    across = [box["x"] for box in places if box]
    assert across == sorted(across, reverse=True)
    words_of(page).first.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[role=option]:focus bdi")).to_have_text(persian[1])
    japanese = ["彼", "は", "犬", "を", "見た", "。"]
    page = shows(example_of([list(word) for word in japanese], japanese), weights_for(9))
    assert words_of(page).locator("bdi").all_text_contents() == japanese
    page.get_by_role("checkbox", name="word pieces").check()
    assert words_of(page).locator("bdi").all_text_contents() == list("".join(japanese))


def test_words_are_text_whatever_they_say(shows: Shows) -> None:
    hostile = ["<img src=x onerror=alert(1)>", "</script><script>1</script>", "\u202eabc", "&lt;"]
    page = shows(
        example_of([[word] for word in hostile], hostile), weights_for(6), label=hostile[0]
    )
    expected = [*hostile[:2], "\N{REPLACEMENT CHARACTER}abc", hostile[3]]
    assert words_of(page).locator("bdi").all_text_contents() == expected
    assert page.locator("#view img, #view script").count() == 0


def test_of_512_pieces_only_the_greatest_weights_are_drawn_and_pointing_answers(
    shows: Shows,
) -> None:
    words = [f"word{number}" for number in range(510)]
    weights = weights_for(512)
    page = shows(example_of([[word] for word in words], words), weights, arcs=[(3, 400)])
    assert words_of(page).count() == 510
    expect(page.locator("svg.sentence-lines")).to_be_hidden()
    canvas = page.locator("canvas.sentence-lines")
    box = canvas.bounding_box()
    assert box
    assert box["height"] < 1000, "no more than what is in sight"
    page.get_by_label("least weight").fill("0")
    before = canvas.evaluate("each => each.toDataURL()")
    named(page, "word7").hover()
    expect(page.locator(".sentence-said strong").first).to_have_text("word7")
    top = np.argsort(-weights[8, 1:-1])[:8]
    listed = page.locator(".sentence-said .from bdi").all_inner_texts()
    assert listed == [f"word{number}" for number in top]
    same(page.locator(".sentence-said .from span").all_inner_texts(), weights[8, top + 1])
    assert canvas.evaluate("each => each.toDataURL()") != before
    named(page, "word500").click()
    expect(page.locator("[role=option][aria-selected=true] bdi")).to_have_text("word500")
    assert page.locator(".sentence-scroll").evaluate("each => each.scrollTop") > 0


def test_another_view_has_what_was_chosen_and_the_scheme_may_change(shows: Shows) -> None:
    page = shows(held=3)
    page.get_by_role("checkbox", name="word pieces").check()
    page.get_by_label("least weight").fill("1")
    page.evaluate("() => shows({ held: 1 })")
    expect(page.locator("[role=option][aria-selected=true] bdi")).to_have_text("it")
    expect(page.get_by_role("checkbox", name="word pieces")).to_be_checked()
    expect(page.locator("output")).to_have_text("1.0%")
    assert words_of(page).count() == len(EXAMPLE.tokens) - 2
    matrix = page.locator("canvas.sentence-matrix")
    before = matrix.evaluate("each => each.toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.evaluate(
        "before => new Promise((resolve) => { const look = () => "
        "document.querySelector('canvas.sentence-matrix').toDataURL() === before "
        "? requestAnimationFrame(look) : resolve(); look(); })",
        before,
    )
