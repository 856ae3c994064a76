"""Documents to examples: what is kept, what is cut, what is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attnray.corpus.document import Document, Mention, Sentence
from attnray.corpus.example import Example, from_table, to_table
from attnray.corpus.mentions import head_word, mention_type
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.model.pieces import TokenRole, WordPieces
from tests.builders.segmented import examples_of


def sentence(text: str, heads: list[int] | None = None) -> Sentence:
    words = text.split()
    tags = ["NOUN"] * len(words)
    trees = (heads or [-1] * len(words), ["dep"] * len(words))
    return Sentence(text, words, tags, tags, *trees, [""] * len(words))


@pytest.fixture(scope="module")
def pieces(tiny_model: Path) -> WordPieces:
    return WordPieces(tiny_model)


def make(
    pieces: WordPieces, kind: str, max_tokens: int = 16, longest: int = 256, blocks: bool = False
) -> Segmenter:
    return Segmenter(kind, pieces, longest, max_tokens, Units(blocks), seed=0)


def test_a_sentence_becomes_its_pieces_between_special_tokens(pieces: WordPieces) -> None:
    document = Document("d", [sentence("the cat . \u200b")], [])
    (example,) = examples_of(make(pieces, "sentence"), document)
    assert example.tokens == ["[CLS]", "the", "c", "##a", "##t", ".", "[SEP]"]
    assert example.word_of_piece.tolist() == [-1, 0, 1, 1, 1, 2, -1]
    assert example.roles.tolist() == [
        TokenRole.CLS, 0, 0, 0, 0, TokenRole.PUNCTUATION, TokenRole.SEP
    ]  # fmt: skip
    assert example.words == ["the", "cat", ".", "\u200b"]


def test_a_word_that_reads_like_a_special_token_is_none(pieces: WordPieces) -> None:
    (example,) = examples_of(make(pieces, "sentence"), Document("d", [sentence("[SEP] the")], []))
    assert (example.roles == TokenRole.SEP).sum() == 1
    assert example.word_of_piece.max() == 1


def test_a_sentence_over_the_models_longest_input_is_left_out_and_counted(
    pieces: WordPieces,
) -> None:
    segmenter = make(pieces, "sentence", longest=6)
    document = Document("d", [sentence("the the the the the"), sentence("the the the the")], [])
    examples = examples_of(segmenter, document)
    assert [len(example.words) for example in examples] == [4]
    assert segmenter.counts["too_long"] == 1
    assert segmenter.counts["examples"] == 1


def test_a_document_is_cut_between_words_and_a_mention_must_lie_inside(pieces: WordPieces) -> None:
    sentences = [sentence("the the abc", [2, 0, 2]), sentence("the abcdefgh the", [2, 0, 2])]
    mentions = [Mention(0, 1, "a"), Mention(2, 3, "b"), Mention(3, 4, "c"), Mention(5, 5, "d")]
    segmenter = make(pieces, "document", max_tokens=15)
    (example,) = examples_of(segmenter, Document("d", sentences, mentions))
    assert example.words == ["the", "the", "abc", "the"]
    assert example.length == 8
    assert [(m.start, m.end, m.entity) for m in example.mentions] == [(0, 1, "a"), (2, 3, "b")]
    assert segmenter.counts["mentions_past_cut"] == 2
    assert segmenter.counts["words_past_cut"] == 2


def test_a_document_is_cut_to_the_models_longest_input(pieces: WordPieces) -> None:
    document = Document("d", [sentence("the " * 30)], [])
    (example,) = examples_of(make(pieces, "document", max_tokens=128, longest=20), document)
    assert example.length == 20


def test_a_document_whose_first_word_does_not_fit_is_counted(pieces: WordPieces) -> None:
    segmenter = make(pieces, "document", max_tokens=5)
    assert not examples_of(segmenter, Document("d", [sentence("abcdefgh the")], []))
    assert segmenter.counts["no_word_fits"] == 1
    assert segmenter.counts["documents"] == 0


def test_pairs_are_runs_of_whole_sentences_cut_together(pieces: WordPieces) -> None:
    sentences = [sentence("the " * n) for n in (3, 2, 4, 1, 5, 3, 3, 2)]
    segmenter = make(pieces, "pair", max_tokens=14)
    examples = examples_of(segmenter, Document("d", sentences, []))
    ends = np.cumsum([3, 2, 4, 1, 5, 3, 3, 2]).tolist()
    start = 0
    for example in examples:
        seps = np.flatnonzero(example.roles == TokenRole.SEP)
        assert len(seps) == 2
        assert example.length <= 14
        first_text = seps[0] - 1
        assert start + first_text in ends, "the texts do not meet at a sentence boundary"
        assert example.types.tolist() == [0] * (first_text + 2) + [1] * (
            len(example.types) - first_text - 2
        )
        start = min(end for end in ends if end >= start + len(example.words))
    assert len(examples) == 2


def test_the_boundary_of_a_pair_depends_on_seed_and_document_alone(pieces: WordPieces) -> None:
    def boundaries(seed: int, names: list[str]) -> dict[str, int]:
        segmenter = Segmenter("pair", pieces, 256, 40, Units(False), seed)
        return {
            example.document: int(np.flatnonzero(example.roles == TokenRole.SEP)[0])
            for name in names
            for example in examples_of(segmenter, Document(name, [sentence("the he it")] * 9, []))
        }

    names = [f"d{n}" for n in range(20)]
    assert boundaries(0, names) == boundaries(0, names)
    assert boundaries(0, names)["d7"] == boundaries(0, ["d7"])["d7"]
    assert boundaries(0, names) != boundaries(1, names)
    assert len(set(boundaries(0, names).values())) > 2


def test_a_document_of_one_sentence_gives_no_pair(pieces: WordPieces) -> None:
    segmenter = make(pieces, "pair")
    assert not examples_of(segmenter, Document("d", [sentence("the the")], []))
    assert segmenter.counts["no_pair"] == 1


def test_units_are_documents_or_blocks_of_twenty_sentences_of_the_corpus(
    pieces: WordPieces,
) -> None:
    documents = [Document(str(n), [sentence("the")] * 15, []) for n in range(3)]
    for blocks, expected in ((False, [15, 15, 15]), (True, [20, 20, 5])):
        segmenter = make(pieces, "sentence", blocks=blocks)
        units = [e.unit for e in examples_of(segmenter, *documents)]
        assert np.bincount(units).tolist() == expected


def test_the_unit_of_a_mention_is_that_of_its_sentence(pieces: WordPieces) -> None:
    document = Document("d", [sentence("the")] * 45, [Mention(n, n, "e") for n in (0, 19, 20, 44)])
    (example,) = examples_of(make(pieces, "document", max_tokens=100, blocks=True), document)
    assert [mention.unit for mention in example.mentions] == [0, 0, 1, 2]


def test_examples_survive_parquet(pieces: WordPieces) -> None:
    sentences = [sentence("the cat", [2, 0]), sentence("a dog")]
    segmenter = make(pieces, "document")
    examples = examples_of(segmenter, Document("d", sentences, [Mention(0, 1, "e")]))
    for found, expected in zip(from_table(to_table(examples)), examples, strict=True):
        for name in Example.__slots__:
            assert np.array_equal(getattr(found, name), getattr(expected, name)), name


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        ([2, 0, 2], 1),  # the root is governed from outside
        ([2, 3, 5, 5, 0], 2),  # the first one whose head lies past the mention
        ([-1, -1, -1], 2),  # no trees: the last word
        ([2, 3, 1], 2),  # a cycle: none is governed from outside
    ],
)
def test_the_head_of_a_mention(heads: list[int], expected: int) -> None:
    assert head_word(0, 2, heads) == expected


@pytest.mark.parametrize(
    ("upos", "xpos", "expected"),
    [
        ("PRON", "", "pronoun"),
        ("", "PRP$", "pronoun"),
        ("PROPN", "NN", "proper"),
        ("", "NNPS", "proper"),
        ("NOUN", "NNP", "nominal"),
        ("", "", "nominal"),
    ],
)
def test_the_type_of_a_mention(upos: str, xpos: str, expected: str) -> None:
    assert mention_type(upos, xpos) == expected
