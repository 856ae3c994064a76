"""Vectors of words: GloVe text files, and input embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from attnray.config import ModelConfig
from attnray.corpus.example import Example
from attnray.errors import InputError
from attnray.model.encoder import input_embeddings
from attnray.model.source import locate
from attnray.probe.kinds import vectors_of
from attnray.probe.vectors import Glove, InputEmbeddings


def example(words: list[str], pieces: list[int], word_of_piece: list[int]) -> Example:
    ids, owner = np.array(pieces, np.int32), np.array(word_of_piece, np.int32)
    none = np.zeros(len(pieces), np.int8)
    return Example(0, "d", "", 0, 0, 0, ids, [], none, none, owner, words, [], [], [])


def glove(path: Path, text: str, *words: str) -> Glove:
    path.write_text(text)
    return Glove(str(path), words)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "glove.txt"


def test_a_word_is_looked_up_as_written_then_in_lower_case(path: Path) -> None:
    found = glove(path, "dog 1 2\nDog 3 4\ncat 5 6e-1\nnever 7 8\n", "Dog", "Cat", "emu")
    vectors = found.of(example(["Dog", "Cat", "emu"], [], []))
    assert vectors.tolist() == [[3, 4], [5, pytest.approx(0.6)], [0, 0]]
    assert found.size == 2
    assert "never" not in found._vectors


def test_a_word_may_have_spaces_inside(path: Path) -> None:
    found = glove(path, "a 1 2\n. . . 3 4\n", ". . .")
    assert found.of(example([". . ."], [], [])).tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no vectors"),
        ("dog 1 2\ncat 3\n", ":2: "),
        ("dog 1 2\ncat 3 x\n", ":2: "),
        ("dog\n", ":1: "),
    ],
)
def test_a_malformed_line_is_said(path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        glove(path, text, "dog", "cat")


def test_a_missing_file_is_said(path: Path) -> None:
    with pytest.raises(InputError, match=r"glove\.txt"):
        Glove(str(path), ["dog"])


def test_the_first_line_of_word2vec_is_no_word(path: Path) -> None:
    found = glove(path, "2 3\ndog 1 2 3\ncat 4 5 6\n", "cat")
    assert found.size == 3
    assert found.of(example(["cat"], [], [])).tolist() == [[4, 5, 6]]


@pytest.mark.parametrize("number", ["nan", "inf", "1e39", "9" * 5000])
def test_what_is_no_number_is_said(path: Path, number: str) -> None:
    with pytest.raises(InputError, match=r"glove\.txt:2: a number is infinite, or none"):
        glove(path, f"cat 1 2\ndog 1 {number}\n", "dog")


def test_a_vector_without_end(path: Path) -> None:
    with pytest.raises(InputError, match=r"glove\.txt:1: 20,000 numbers of a word; at most"):
        glove(path, "dog" + " 1" * 20_000, "dog")


def test_input_embeddings_are_means_over_pieces(tiny_model: Path) -> None:
    matrix = input_embeddings(locate(ModelConfig(path=str(tiny_model)), 0))
    vectors = InputEmbeddings(matrix)
    found = vectors.of(example(["ab", "dropped", "c"], [2, 5, 6, 7, 3], [-1, 0, 0, 2, -1]))
    torch.testing.assert_close(found[0], (matrix[5] + matrix[6]) / 2)
    assert found[1].tolist() == [0] * matrix.shape[1]
    torch.testing.assert_close(found[2], matrix[7])


def test_the_embeddings_are_those_that_are_stored(tiny_model: Path) -> None:
    from safetensors.torch import load_file

    stored = load_file(tiny_model / "model.safetensors")["embeddings.word_embeddings.weight"]
    assert torch.equal(input_embeddings(locate(ModelConfig(path=str(tiny_model)), 0)), stored)


def test_the_table_says_which() -> None:
    assert vectors_of("distances_and_words", None) == "input_embeddings"
    assert vectors_of("attention_and_words", "/far/glove.6B.300d.txt") == "glove:glove.6B.300d.txt"
    for probe in ("right_branching", "attention"):
        assert vectors_of(probe, None) is vectors_of(probe, "/far/glove.txt") is None
