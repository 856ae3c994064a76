"""The cases that a head gets wrong, as `run.errors("obj", "3-1")` gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.errors import InputError
from attnray.interface.shown import table
from attnray.metrics.base import Choice, Predictor
from attnray.metrics.syntax import DIRECTIONS
from attnray.report.wording import NOTHING, percent

if TYPE_CHECKING:
    from attnray.interface.example import Example
    from attnray.interface.head import Head
    from attnray.interface.opened import Run
    from attnray.interface.plot import Plot

#: How many are shown, with so many words on each side.
SHOWN, AROUND = 10, 10


@dataclass(frozen=True, repr=False)
class Mistake:
    """A case that a head gets wrong: it should have picked a word of `right` for the word `word`.

    `case` has the columns of the case. Words count from 0.
    """

    example: Example
    head: Head
    direction: str | None
    case: dict[str, Any]
    _metric: Predictor = field(repr=False)

    @property
    def word(self) -> int:
        """The word, a dependent or the head of an anaphor, that another was to be found for."""
        return int(self.case["word"])

    @property
    def right(self) -> list[int]:
        """The words that would have been right."""
        return sorted(self._choice.right)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """The attention between the word and each word of the example, (word,).

        From the word; in the direction `head_to_dependent` to it.

        Raises:
            InputError: the example's attention is not stored.
        """
        merge = self.head.run.settings["merge"]
        every = self.example.attention(self.head.layer, self.head.head, words=True, merge=merge)
        return every[:, self.word] if self._backwards else every[self.word]

    @property
    def picked(self) -> int:
        """The word that the head picked instead, the one with the most attention.

        (As far as it is stored: a run with `analysis=fused` measured what was not rounded yet.)

        Raises:
            InputError: the example's attention is not stored.
        """
        among = self._choice.among
        return among[int(self.weights[among].argmax())]

    def plot(self) -> Plot:
        """The attention of the head to the example, with what would have been right beside it."""
        arcs = [(self.word, word) for word in self.right]
        if self._backwards:
            arcs = [(word, self.word) for word in self.right]
        merge = self.head.run.settings["merge"]
        return self.example.plot(self.head.layer, self.head.head, merge, arcs, "what is right")

    def __repr__(self) -> str:
        return "{}: {}, not {} | {}".format(*self.said)

    @property
    def said(self) -> tuple[str, str, str, str]:
        """The word, what was picked and what is right, with their weights; the words around."""
        words, right = self.example.words, self.right
        try:
            weights, picked = self.weights, self.picked
        except InputError:
            return words[self.word], NOTHING, words[right[0]], self._around

        def weighed(word: int) -> str:
            return f"{words[word]} ({percent(float(weights[word]))})"

        return (
            words[self.word],
            weighed(picked),
            weighed(max(right, key=weights.item)),
            self._around,
        )

    @property
    def _around(self) -> str:
        """The words around it."""
        words, first = self.example.words, max(0, self.word - AROUND)
        end = self.word + AROUND + 1
        sides = ["…" * (first > 0), *words[first:end], "…" * (end < len(words))]
        return " ".join(filter(None, sides))

    @property
    def _backwards(self) -> bool:
        return self.direction == DIRECTIONS[1]

    @cached_property
    def _choice(self) -> Choice:
        return self._metric.choice(self.example, self.case)


@dataclass(frozen=True, repr=False)
class Mistakes(Sequence[Mistake]):
    """The cases that a head gets wrong, in the order of the corpus, each read as it is asked for.

    `cases` has them as a table, with their sentences.
    """

    item: str
    head: Head
    direction: str | None
    cases: pa.Table
    _run: Run
    _metric: Predictor

    def __len__(self) -> int:
        return len(self.cases)

    @overload
    def __getitem__(self, index: int) -> Mistake: ...

    @overload
    def __getitem__(self, index: slice) -> list[Mistake]: ...

    def __getitem__(self, index: int | slice) -> Mistake | list[Mistake]:
        if isinstance(index, slice):
            return [self[each] for each in range(len(self))[index]]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no error {index}: there are {len(self)}, from 0")
        case = self.cases.slice(index % len(self), 1).to_pylist()[0]
        return Mistake(self._run[case["example"]], self.head, self.direction, case, self._metric)

    def __iter__(self) -> Iterator[Mistake]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        lines = [repr(each) for each in islice(self, SHOWN)]
        more = len(self) - SHOWN
        return "\n".join([self._title, *lines, *([f"… and {more:,} more"] if more > 0 else [])])

    def _repr_html_(self) -> str:
        columns = ("word", "picked", "right", "sentence")
        return table(self._title, columns, (each.said for each in self), len(self))

    @property
    def _title(self) -> str:
        way = f" ({self.direction})" if self.direction else ""
        return f"{len(self):,} cases of {self.item} that head {self.head} gets wrong{way}"
