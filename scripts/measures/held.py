"""The attention of some examples, spread over a corpus, held in memory."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.shards import batched
from attnray.metrics.analysis import Add
from attnray.metrics.groups import Group
from attnray.store.maps import EncodedMaps
from measures.subject import Subject


class Held:
    """The attention of examples with about so many weights a head, as the model gave it."""

    def __init__(self, subject: Subject, cells: int) -> None:
        every = [example for examples in subject.shards for example in examples]
        step = max(1, sum(example.cells for example in every) // cells)
        self.examples = batched(every[::step], subject.run.config.batch)
        self.heads = (subject.encoder.layers, subject.encoder.heads)
        self.given: list[tuple[Group, slice, Tensor]] = []
        maps = EncodedMaps(subject.encoder, self.examples)
        maps.feed(lambda *each: self.given.append(each))

    def feed(self, add: Add) -> None:
        """See `Maps.feed`."""
        for each in self.given:
            add(*each)

    @cached_property
    def plain(self) -> list[NDArray[np.float32]]:
        """That of each example, without padding: (layer, head, query, key)."""
        found = [np.empty((*self.heads, e.length, e.length), np.float32) for e in self.examples]
        for group, layers, maps in self.given:
            for own, each, n in zip(
                found[group.first :], maps.numpy(), group.lengths, strict=False
            ):
                own[layers] = each[..., :n, :n]
        return found
