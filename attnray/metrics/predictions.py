"""What heads predict: right or wrong for every case, counted by unit and by fold."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

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


def predictions(right: Bits, baselines: Bits, units: Counts, folds: Counts) -> Predictions:
    """The sums of a group of cases.

    Args:
        right: whether heads predict each case, (case, layer, head) or (…, direction).
        baselines: whether baselines do, (case, baseline).
        units: the unit of each case.
        folds: its fold.
    """
    found, first, unit_of = np.unique(units, return_index=True, return_inverse=True)
    heads = summed(_flat(right), unit_of, len(found))
    totals = np.bincount(unit_of, minlength=len(found)).astype(np.int64)
    theirs = summed(baselines, unit_of, len(found))
    return Predictions(
        heads=moments(heads.reshape(len(found), *right.shape[1:]), totals),
        paired=cross_moments(heads, theirs, totals, folds[first]),
    )


def summed(values: Bits, groups: NDArray[np.intp], count: int) -> Counts:
    """How many of the rows of each group are true, by column: (group, column)."""
    order = np.argsort(groups, kind="stable")
    sums = np.zeros((count, values.shape[1]), np.int64)
    if len(order):
        present, starts = np.unique(groups[order], return_index=True)
        sums[present] = np.add.reduceat(values[order], starts, axis=0, dtype=np.int64)
    return sums


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
