"""Fixed vectors of words: from a GloVe text file, or the model's input embeddings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus import bounds
from attnray.corpus.bounds import cut, within
from attnray.corpus.example import Example
from attnray.corpus.files.lines import error_at, numbered_lines
from attnray.errors import InputError


class Vectors(Protocol):
    """Vectors of the words of an example; `size` is how many numbers each has."""

    size: int

    def of(self, example: Example) -> Tensor:
        """float32, (word, size); 0 for a word that has none."""


class InputEmbeddings:
    """The mean of the model's input embeddings over the pieces of a word.

    Args:
        matrix: the embedding of every piece of the vocabulary, (piece, size).
    """

    def __init__(self, matrix: Tensor) -> None:
        self.size = matrix.shape[1]
        self._matrix = matrix.to(torch.float32)

    def of(self, example: Example) -> Tensor:
        """See `Vectors.of`."""
        inside = example.word_of_piece >= 0
        owner = torch.from_numpy(example.word_of_piece[inside].astype(np.int64))
        pieces = torch.from_numpy(example.pieces[inside].astype(np.int64))
        sums = torch.zeros(len(example.words), self.size).index_add_(0, owner, self._matrix[pieces])
        return sums / owner.bincount(minlength=len(example.words)).clamp(min=1)[:, None]


class Glove:
    """The vectors of a text file: a word and its numbers on each line, separated by spaces.

    Looked up as written, else in lower case; of a file only the needed words are kept.

    Args:
        path: the file.
        needed: the words that may be asked for.

    Raises:
        InputError: the file cannot be read, or a line has another number of numbers.
    """

    def __init__(self, path: str, needed: Collection[str]) -> None:
        wanted = {form for word in needed for form in (word, word.lower())}
        self.size = 0
        self._vectors: dict[str, NDArray[np.float32]] = {}
        for number, line in numbered_lines(path):
            # A few words of the larger files have spaces inside.
            fields = line.rstrip().split(" ")
            if number == 1 and len(fields) == 2 and all(map(str.isdecimal, fields)):
                continue  # word2vec's files begin with how many words and numbers there are
            size = self.size or len(fields) - 1
            within(f"{path}:{number}", size, bounds.VECTOR, "numbers of a word", "give vectors")
            word, values = " ".join(fields[:-size]), fields[-size:]
            if size < 1 or len(fields) <= size:
                raise error_at(path, number, f"{len(fields) - 1} numbers; give a word and {size}")
            self.size = size
            if word in wanted:
                self._vectors[word] = _numbers(path, number, values)
        if not self.size:
            raise InputError(f"{path}: no vectors in it; give a GloVe text file")

    def of(self, example: Example) -> Tensor:
        """See `Vectors.of`."""
        nothing = np.zeros(self.size, np.float32)
        found = [
            self._vectors.get(word, self._vectors.get(word.lower(), nothing))
            for word in example.words
        ]
        return torch.from_numpy(np.array(found, np.float32).reshape(len(found), self.size))


def _numbers(path: str, number: int, values: list[str]) -> NDArray[np.float32]:
    try:
        found = np.array([float(value) for value in values])
    except ValueError as error:
        raise error_at(path, number, f"{cut(str(error))}; give a word and its numbers") from error
    if not (np.abs(found) <= np.finfo(np.float32).max).all():
        raise error_at(path, number, "a number is infinite, or none; give a word and its numbers")
    return found.astype(np.float32)
