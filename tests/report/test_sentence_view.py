"""The sentence view in a real browser: what it shows is the attention of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnray.corpus.example import Example
from attnray.reading import StoredExample
from attnray.report.sentences import sentence_data
from tests.builders.views import view_page

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow

#: Pieces of each word; the third has none, as where a tokenizer drops it.
PIECES = [["un", "##der", "##stand"], ["it"], [], ["now", "##adays"], ["."]]
WORDS = ["Understand", "it", "\u00ad", "nowadays", "."]


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
    page.get_by_label("word pieces").check()
    page.get_by_label("special tokens").check()
    assert words_of(page).locator("bdi").all_text_contents() == EXAMPLE.tokens
    all_are_shown(page, WEIGHTS)
    page.get_by_label("special tokens").uncheck()
    assert words_of(page).locator("bdi").all_text_contents() == EXAMPLE.tokens[1:-1]
    all_are_shown(page, WEIGHTS[1:-1, 1:-1])
