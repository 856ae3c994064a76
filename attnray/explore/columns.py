"""Columns that grow as shards are read, and strings as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Bits = NDArray[np.bool_]
Numbers = NDArray[np.int32]

#: Room at the start, which is doubled as it is needed.
ROOM = 1024


class Growing:
    """Columns that grow together, along their last axis; one writes, others read what was given.

    Args:
        columns: empty arrays, which say the types and the other axes.
    """

    def __init__(self, **columns: NDArray[Any]) -> None:
        self._held = {k: np.empty((*v.shape[:-1], ROOM), v.dtype) for k, v in columns.items()}
        self._size = 0

    def add(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add values at the end of each column."""
        size = self._size
        for name, values in columns.items():
            held, end = self._held[name], size + values.shape[-1]
            if end > held.shape[-1]:
                grown = np.empty((*held.shape[:-1], max(end, 2 * held.shape[-1])), held.dtype)
                grown[..., :size] = held[..., :size]
                self._held[name] = held = grown
            held[..., size:end] = values
        self._size = end

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """What has been added so far: it stays as it is."""
        return {name: held[..., : self._size] for name, held in self._held.items()}


class Forms:
    """Strings, each held once, by numbers from 0."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._spellings: list[str] = []

    def __len__(self) -> int:
        return len(self._spellings)

    def __getitem__(self, number: int) -> str:
        return self._spellings[number]

    def number(self, spelling: str) -> int | None:
        """The number of a string, None where there is none such."""
        return self._numbers.get(spelling)

    def numbers(self, spellings: Iterable[str]) -> Numbers:
        """The numbers of those strings of some that are there."""
        found = (self._numbers.get(spelling) for spelling in spellings)
        return np.array([number for number in found if number is not None], np.int32)

    def add(self, strings: pa.Array) -> Numbers:
        """The numbers of strings; those that are new are given the next ones."""
        encoded = strings.dictionary_encode()
        known = [self._number(spelling) for spelling in encoded.dictionary.to_pylist()]
        return np.asarray(np.array(known, np.int32)[encoded.indices.to_numpy()])

    def like(self, pattern: str) -> Bits:
        """Whether each string is like a pattern: case ignored, `*` being any letters."""
        text = ".*".join(map(re.escape, pattern.split("*")))
        strings = pa.array(self._spellings, pa.string())
        found = pc.match_substring_regex(strings, f"^(?s:{text})$", ignore_case=True)
        return np.asarray(found.to_numpy(zero_copy_only=False), bool)

    def _number(self, spelling: str) -> int:
        number = self._numbers.setdefault(spelling, len(self._spellings))
        if number == len(self._spellings):
            self._spellings.append(spelling)
        return number
