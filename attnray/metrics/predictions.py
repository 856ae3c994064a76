"""What heads predict: right or wrong for every case, counted by unit and by fold."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.metrics.paired import CrossMoments, cross_moments
from attnray.metrics.sums import Moments, moments

Bits = NDArray[np.bool_]
Counts = NDArray[np.int64]

#: The column of a table of cases that has a bit for each candidate.
RIGHT = "right"


@dataclass(frozen=True)
class Predictions:
    """What heads have right of a group of cases, and what heads against baselines need.

    Candidates are heads, in each direction, in the order that breaks ties: layers first.
    """

    heads: Moments
    paired: CrossMoments


@dataclass(frozen=True)
class Tally:
    """How often each candidate and each baseline is right, by unit and label of the cases.

    Every array has a row for each pair of a unit and a label that there is.
    """

    labels: NDArray[np.object_]
    units: Counts
    folds: Counts
    totals: Counts
    heads: Counts
    baselines: Counts

    @classmethod
    def of(
        cls, cases: pa.Table, labels: NDArray[np.object_], right: Bits, baselines: Bits
    ) -> Tally:
        """Count cases, each with its label.

        Args:
            cases: with the columns `unit` and `fold`.
            labels: that of each case.
            right: whether heads predict each case, (case, layer, head) or (…, direction).
            baselines: whether baselines do, (case, baseline).
        """
        from attnray.metrics.kernels.cpu import added_up

        units, folds = cases["unit"].to_numpy(), cases["fold"].to_numpy()
        names, of_name = np.unique(labels.astype(str), return_inverse=True)
        slots, first, slot = np.unique(
            units.astype(np.int64) * len(names) + of_name, return_index=True, return_inverse=True
        )
        return cls(
            labels=labels[first],
            units=units[first],
            folds=folds[first],
            totals=np.bincount(slot, minlength=len(slots)).astype(np.int64),
            heads=added_up(_flat(right), slot, len(slots)).reshape(-1, *right.shape[1:]),
            baselines=added_up(baselines, slot, len(slots)),
        )

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """The rows of each label."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, label in enumerate(self.labels):
            found[label].append(place)
        return found

    def predictions(self, labels: Collection[str]) -> Predictions:
        """The sums of the cases that have one of some labels."""
        places = (self._places.get(label, ()) for label in labels)
        chosen = np.array(sorted(chain.from_iterable(places)), np.int64)
        from attnray.metrics.kernels.cpu import added_up

        units, first, unit_of = np.unique(
            self.units[chosen], return_index=True, return_inverse=True
        )
        heads, baselines, totals = (
            added_up(each[chosen], unit_of, len(units))
            for each in (self.heads, self.baselines, self.totals)
        )
        flat = heads.reshape(len(units), math.prod(heads.shape[1:]))
        paired = cross_moments(flat, baselines, totals, self.folds[chosen][first])
        return Predictions(moments(heads, totals), paired)


def number(*name: object) -> int:
    """A number for a name, of 56 bits: among a million two are alike in one of 10^5 corpora."""
    return int.from_bytes(hashlib.blake2b(repr(name).encode(), digest_size=7).digest())


def packed(right: Bits) -> pa.Array:
    """The bits of each case as bytes, least significant bit first; `right` is (case, …)."""
    rows = np.packbits(_flat(right), axis=1, bitorder="little")
    kind = pa.binary(rows.shape[1])
    return pa.Array.from_buffers(kind, len(rows), [None, pa.py_buffer(rows.tobytes())])


def bits(cases: pa.Table, candidates: Counts | int) -> Bits:
    """Whether a candidate, the same or one for each case, has the cases right."""
    column = cases[RIGHT].combine_chunks()
    width = column.type.byte_width
    rows = np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, width)
    rows = rows[column.offset : column.offset + len(column)]
    chosen = np.broadcast_to(np.asarray(candidates, np.int64), len(rows))
    taken = rows[np.arange(len(rows)), chosen >> 3] >> (chosen & 7).astype(np.uint8)
    return np.asarray(taken & 1, bool)


def _flat(right: Bits) -> Bits:
    """(case, candidate)."""
    return right.reshape(len(right), math.prod(right.shape[1:]))
