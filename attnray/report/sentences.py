"""What the sentence view is given: an example, and the weights of a head (`sentence.js`)."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnray.report.wording import legible

if TYPE_CHECKING:
    from attnray.corpus.example import Example

Weights = NDArray[np.floating[Any]]

#: A weight of 1.
WHOLE = 65535
#: Of examples of more pieces, weights below this count as 0: the page shows no smaller ones.
LONG, LEAST = 128, 0.0005


def sentence_data(
    example: Example,
    weights: Weights,
    merge: str = "mean",
    arcs: Iterable[tuple[int, int]] = (),
    label: str = "",
    cite: str = "",
) -> dict[str, object]:
    """An example with the attention of one head, as JSON may hold it.

    Args:
        example: with spellings of its tokens.
        weights: (query, key), between pieces.
        merge: how the view makes attention from a word of that from its pieces: mean, first or max.
        arcs: pairs of words from 0, from the attending to the attended one, that are drawn
            beside the attention: what the treebank or the annotation says.
        label: what these arcs are, such as "obj in the treebank".
        cite: what is copied as the source, and written into saved files.
    """
    return {
        **text_data(example),
        "merge": merge,
        "arcs": [list(arc) for arc in arcs],
        "label": legible(label),
        "cite": legible(cite),
        "weights": packed_weights([weights]),
    }


def text_data(example: Example) -> dict[str, object]:
    """The words of an example, its tokens, and the word of each, from 0 (-1: a special token)."""
    return {
        "words": list(map(legible, example.words)),
        "tokens": list(map(legible, example.tokens)),
        "owner": example.word_of_piece.tolist(),
    }


def packed_weights(maps: Sequence[Weights]) -> str:
    """Weights of some examples, one after another, each (query, key), as text.

    16 bits a weight, of all first the low and then the high bytes; deflated, in base64. (Such a
    number is off by 0.0008 percent points at the most.)
    """
    codes = np.concatenate([_codes(each) for each in maps])
    planes = codes.astype("<u2").view(np.uint8).reshape(-1, 2).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode()


def _codes(weights: Weights) -> NDArray[np.uint16]:
    kept = np.where(weights < LEAST, 0, weights) if len(weights) > LONG else weights
    return np.rint(kept * WHOLE).astype(np.uint16).ravel()
