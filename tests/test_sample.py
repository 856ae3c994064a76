"""The sample corpus: its size and variety, and its validity by the makers' validator."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from attnray.config import CorpusConfig
from attnray.corpus.document import Document
from attnray.corpus.example import Example
from attnray.corpus.formats.conllu import read_conllu
from attnray.corpus.readers import files
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.metrics.coreference import anaphors
from attnray.model.pieces import WordPieces
from tests.builders.segmented import examples_of

COMMON = {
    "acl", "advcl", "advmod", "amod", "appos", "aux", "case", "cc", "ccomp", "compound", "conj",
    "cop", "csubj", "det", "discourse", "expl", "fixed", "flat", "iobj", "mark", "nmod", "nsubj",
    "nummod", "obj", "obl", "parataxis", "punct", "root", "vocative", "xcomp",
}  # fmt: skip


@pytest.fixture(scope="module")
def path() -> str:
    (path,) = files(CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu"))
    return path


@pytest.fixture(scope="module")
def documents(path: str) -> list[Document]:
    return list(read_conllu(path))


def test_it_is_clean_under_udvalidate(path: str) -> None:
    validator = [str(Path(sys.executable).parent / "udvalidate"), "--lang", "en", "--level", "3"]
    done = subprocess.run(
        [*validator, "--coref", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout + done.stderr


def test_its_size(documents: list[Document]) -> None:
    sentences = [sentence for document in documents for sentence in document.sentences]
    assert len(documents) >= 24
    assert len({document.id for document in documents}) == len(documents)
    assert len(sentences) >= 200
    assert sum(upos != "PUNCT" for s in sentences for upos in s.upos) >= 2500


def test_the_common_relations_are_there(documents: list[Document]) -> None:
    relations = Counter(
        relation.partition(":")[0]
        for document in documents
        for sentence in document.sentences
        for relation in sentence.relations
    )
    assert set(relations) >= COMMON
    assert "dep" not in relations


def test_nothing_of_it_is_left_out(documents: list[Document]) -> None:
    assert not any(document.left_out for document in documents)


def test_every_entity_is_mentioned_twice_and_every_type_is_an_anaphor(
    documents: list[Document], tiny_model: Path
) -> None:
    segmenter = Segmenter("document", WordPieces(tiny_model), 10_000, 10_000, Units(False), 0)
    examples: list[Example] = examples_of(segmenter, *documents)
    for example in examples:
        entities = Counter(mention.entity for mention in example.mentions)
        assert min(entities.values()) >= 2, example.document
    types = Counter(a.mention.type for example in examples for a in anaphors(example, "mentions"))
    assert min(types[kind] for kind in ("pronoun", "proper", "nominal")) >= 30
