"""A group of examples that pass through the model together, as the kernels of metrics take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnray.corpus.example import Example

if TYPE_CHECKING:
    import torch


class Group:
    """Consecutive examples of a shard, whose maps are padded to the longest.

    Args:
        first: the position in the shard of the first of them.
        examples: all of them.
    """

    def __init__(self, first: int, examples: Sequence[Example]) -> None:
        self.first = first
        self.examples = examples
        self._on_device: dict[str, list[torch.Tensor]] = {}

    @property
    def inputs(self) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int8]]]:
        """What a model takes of them: the ids of their pieces, and the types."""
        return [e.pieces for e in self.examples], [e.types for e in self.examples]

    @property
    def end(self) -> int:
        """The position in the shard behind the last of them."""
        return self.first + len(self.examples)

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """How many tokens each has: (example,)."""
        return np.array([example.length for example in self.examples], np.int32)

    @property
    def cells(self) -> int:
        """How many weights one head gives all of them."""
        return sum(example.cells for example in self.examples)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where the cells of each begin, one behind the other: (example,)."""
        cells = np.array([example.cells for example in self.examples], np.int64)
        return np.cumsum(cells) - cells

    @cached_property
    def roles(self) -> NDArray[np.int8]:
        """The role of each token, padded with 0: (example, token)."""
        roles = np.zeros((len(self.examples), self.lengths.max()), np.int8)
        for row, example in zip(roles, self.examples, strict=True):
            row[: example.length] = example.roles
        return roles

    @cached_property
    def words(self) -> NDArray[np.int32]:
        """How many words each has: (example,)."""
        return np.array([len(example.words) for example in self.examples], np.int32)

    @cached_property
    def starts(self) -> NDArray[np.int32]:
        """The first piece of each word, 0 of one without a piece: (example, word)."""
        starts = np.zeros((len(self.examples), max(1, self.words.max())), np.int32)
        for row, example in zip(starts, self.examples, strict=True):
            owner = example.word_of_piece
            inside = np.flatnonzero(owner >= 0)[::-1]
            row[owner[inside]] = inside
        return starts

    @cached_property
    def sizes(self) -> NDArray[np.int32]:
        """How many pieces each word has, which stand one behind the other: (example, word)."""
        sizes = np.zeros((len(self.examples), max(1, self.words.max())), np.int32)
        for row, example in zip(sizes, self.examples, strict=True):
            owner = example.word_of_piece
            row[: len(example.words)] = np.bincount(owner[owner >= 0], minlength=len(example.words))
        return sizes

    def on(self, device: torch.device, name: str) -> torch.Tensor:
        """One of the arrays above on a device, brought there once."""
        return self.brought(device, name, lambda: [getattr(self, name)])[0]

    def brought(
        self, device: torch.device, name: str, arrays: Callable[[], list[NDArray[Any]]]
    ) -> list[torch.Tensor]:
        """Some arrays on a device, brought there once under a name."""
        from attnray.model.devices import to_device

        if name not in self._on_device:
            self._on_device[name] = [to_device(each, device) for each in arrays()]
        return self._on_device[name]


def batches(examples: Sequence[Example]) -> Iterator[Group]:
    """The groups of a shard's examples that were planned as batches."""
    first = 0
    for _, batch in groupby(examples, key=lambda example: example.batch):
        group = Group(first, list(batch))
        yield group
        first = group.end
