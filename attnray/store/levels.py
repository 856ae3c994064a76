"""The table of weights that `store=compact` is read by.

A code is a level (its high byte) and a part of a level (its low byte), from 1 down. Weights in the
order of size have codes in their order. A level alone stands for the weight at its first part,
about which it extends by half of its width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Parts of a level.
PARTS = 256
#: Where each piece of the table ends, in octaves below 1, and its levels an octave. Within an
#: octave they are equally wide, as floating-point numbers are: 3/4 is half an octave below 1.
PIECES = ((0.5, 64), (11, 16), (16, 4), (25, 1), (127, 0.25))
#: The code of 0, alone in its level, and that of the smallest other weight.
ZERO = 255 * PARTS
LAST = ZERO - PARTS // 2 - 1

OCTAVE = 2**23
#: The bits of 1 as a float32; a weight one octave below it has fewer by OCTAVE.
ONE = 127 * OCTAVE

_EDGES = np.array([0, *(end for end, _ in PIECES)]) * OCTAVE
#: Of each piece: the distance of its first bits from ONE, the code there, and how many bits of a
#: distance make a part.
STARTS = _EDGES[:-1].astype(np.int64)
SHIFTS = np.array([int(np.log2(OCTAVE / PARTS / levels)) for _, levels in PIECES])
FIRSTS = np.cumsum([0, *(np.diff(_EDGES).astype(np.int64) >> SHIFTS)[:-1]])


def weights_of_codes() -> NDArray[np.float32]:
    """The weight of every code: float32, (65536,)."""
    codes = np.arange(2**16)
    piece = np.searchsorted(FIRSTS, codes, side="right") - 1
    distance = STARTS[piece] + ((codes - FIRSTS[piece]) << SHIFTS[piece])
    weights = np.maximum(ONE - distance, 0).astype(np.uint32).view(np.float32)
    return np.where(codes <= LAST, weights, np.float32(0))
