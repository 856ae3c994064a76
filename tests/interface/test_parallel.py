"""`run.map`: in the order of the examples, a few ahead, and errors that name the example."""

from __future__ import annotations

from itertools import islice
from threading import Barrier

import numpy as np
import pytest

from attnray.interface.example import Example
from attnray.interface.opened import Run
from attnray.interface.parallel import AHEAD

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_it_gives_what_a_loop_gives(run: Run, workers: int | None) -> None:
    found = list(run.map(lambda example: example.attention(words=True), workers))
    assert len(found) == len(run)
    for mine, example in zip(found, run, strict=True):
        assert np.array_equal(mine, example.attention(words=True))


def test_several_are_worked_on_at_once(run: Run) -> None:
    together = Barrier(2, timeout=60)
    found = list(run.map(lambda _: together.wait(), 2))
    assert sum(found) == len(run) / 2


def test_no_more_are_begun_than_a_few_ahead(run: Run) -> None:
    begun: list[int] = []
    found = run.map(lambda example: begun.append(example.index), 1)
    for _ in range(3):
        next(found)
    found.close()  # type: ignore[attr-defined]
    assert begun == [*range(len(begun))]
    assert 3 <= len(begun) <= 3 + AHEAD


def test_an_error_says_which_example_it_was(run: Run) -> None:
    def fails(example: Example) -> int:
        return 1 // (5 - example.index)

    found = run.map(fails, 2)
    assert [*islice(found, 5)] == [0, 0, 0, 0, 1]
    with pytest.raises(ZeroDivisionError) as told:
        next(found)
    assert "<example 5 of 01-news: " in told.value.__notes__[0]
