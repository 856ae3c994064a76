"""Heads of sentences that are no tree, counted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.corpus.document import NO_HEAD


def oddities(heads: pa.ListArray) -> dict[str, int]:
    """How many sentences have heads in a circle, more than one root, or none.

    Roots are counted where every word has a head.

    Args:
        heads: those of the words of each sentence, from 1, 0 for a root.
    """
    lengths = heads.value_lengths().to_numpy()
    values = heads.values.to_numpy()
    owner = np.repeat(np.arange(len(lengths)), lengths)

    def number(of_words: NDArray[np.bool]) -> NDArray[np.int64]:
        return np.bincount(owner[of_words], minlength=len(lengths))

    roots = number(values == 0)
    whole = (number(values == NO_HEAD) == 0) & (lengths > 0)
    return {
        "sentences_with_circles": int((number(_in_circles(values, lengths)) > 0).sum()),
        "sentences_with_several_roots": int((whole & (roots > 1)).sum()),
        "sentences_without_root": int((whole & (roots == 0)).sum()),
    }


def _in_circles(heads: NDArray[np.int32], lengths: NDArray[np.int32]) -> NDArray[np.bool]:
    """Whether from a word upwards no root is reached: (word,)."""
    top = len(heads)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    above = np.append(np.where(heads > 0, first + heads - 1, top), top)
    for _ in range(int(lengths.max(initial=0)).bit_length()):
        above = above[above]  # twice as far up
        if (above == top).all():
            break
    reached: NDArray[np.bool] = above[:-1] == top
    return ~reached
