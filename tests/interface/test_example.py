"""An example's attention in every form, and as a page."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnray.corpus.example import Example
from attnray.errors import InputError
from attnray.interface.opened import Run
from attnray.reading import RunReader

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def test_it_has_what_an_example_has(run: Run, folder: Path) -> None:
    shard = run._read_examples(0)
    example = run[shard[3].index]
    for each in fields(Example):
        assert np.array_equal(getattr(example, each.name), getattr(shard[3], each.name))
    assert np.array_equal(example.attention(), RunReader(folder)[example.index].attention())
    assert repr(run[7]) == (
        "<example 7 of 01-news: The company declined to comment . (6 words, 8 tokens)>"
    )


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize(("layer", "head"), [(None, None), (3, None), (None, 1), (3, 1)])
def test_attention_is_the_same_in_every_form(
    run: Run, layer: int | None, head: int | None, words: bool
) -> None:
    example = run[7]
    weights = example.attention(layer, head, words)
    assert np.array_equal(example.attention(layer, head, words, as_="torch").numpy(), weights)
    named = example.attention(layer, head, words, as_="xarray")
    assert np.array_equal(named.values, weights)
    assert named.coords["layer"].values.tolist() == (layer or [1, 2, 3, 4, 5, 6])
    assert named.coords["head"].values.tolist() == (head or [*range(1, 13)])
    texts = example.words if words else example.tokens
    assert named.coords["key_text"].values.tolist() == texts
    one = example.attention(3, 1, words)
    at = {} if layer else {"layer": 3}
    at |= {} if head else {"head": 1}
    assert np.array_equal(named.sel(at).values, one)
    assert named.sel(at).dims == ("query", "key")
    assert named.sel(at | {"query": 2, "key": 0}).item() == one[2, 0]


def test_another_form_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="as_=list is not possible: numpy, torch and xarray are"):
        run[7].attention(as_="list")  # type: ignore[call-overload]


def test_a_notebook_shows_a_plot_in_a_frame(run: Run, tab: Page, tmp_path: Path) -> None:
    mistake = run.errors("obj", "3-1")[0]
    plot = mistake.plot()
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!DOCTYPE html><title>Notebook</title>{plot._repr_html_()}")
    tab.goto(notebook.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator("#view[aria-busy=false]").wait_for()
    words = frame.get_by_role("option").all_inner_texts()
    assert len(words) == len(mistake.example.words)
    assert "watchman" in words[5]
    inside = frame.locator("html").evaluate("each => [each.scrollHeight, innerHeight]")
    assert inside[0] <= inside[1], "nothing is cut"
    saved = plot.save(tmp_path / "plot.html")
    tab.goto(saved.as_uri())
    tab.locator("#view[aria-busy=false]").wait_for()
    assert tab.title() == "Head 3-1"
