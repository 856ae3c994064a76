"""GAP, lines of `word head-relation`, CoNLL-X, patterns of files; each kind of example of each."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attnray.config import CorpusConfig
from attnray.corpus.gap import COLUMNS, read_gap
from attnray.corpus.readers import FORMATS, files, fingerprint, read
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.corpus.word_head import read_word_head
from attnray.errors import InputError
from attnray.model.pieces import Role
from tests.metrics.test_random_maps import LetterPieces

HEADER = "\t".join(COLUMNS)
PASSAGE = 'Ann "Bo" Low slept. She woke, and Kim\'s dog barked.'
GAP_ROW = "\t".join(
    ["dev-1", PASSAGE, "She", "20", "Ann Low", "0", "TRUE", "Kim", "34", "FALSE", "http://x"]
)
TREES = "She 2-nsubj\nslept 0-root\n. 2-punct\n\nwell-known 2-amod:x-y\ndogs 0-root\n"
CONLL_X = (
    "1\tIn\t_\tIN\tIN\t_\t2\tprep\t_\t_\n2\tParis\t_\tNNP\tNNP\t_\t0\troot\t0\troot\n\n"
    "1\tShe\t_\tPRP\tPRP\t_\t2\tnsubj\t2\tnsubj\n2\tslept\t_\tVBD\tVBD\t_\t0\troot\t0\tEntity=(1)\n"
)
CONLL_2012 = "\n".join(
    [
        "#begin document (a); part 000",
        "a 0 0 She PRP (TOP(S(NP*) - - - X * (1)",
        "a 0 1 slept VBD (VP*))) - - - X * -",
        "",
        "a 0 0 Dogs NNS (TOP(S(NP*) - - - X * -",
        "a 0 1 bark VBP (VP*))) - - - X * -",
        "",
        "#end document",
    ]
)
CONTENTS = {
    "conllu": CONLL_X,
    "conll2012": CONLL_2012 + "\n",
    "word_head": TREES,
    "text": "She slept. Dogs bark.\n",
    "gap": f"{HEADER}\n{GAP_ROW}\n",
    "json": '{"words": ["She", "slept"], "heads": [2, 0], "relns": ["nsubj", "root"]}\n'
    '{"words": ["Dogs", "bark"]}\n',
}


def write(path: Path, form: str) -> None:
    """A corpus of one document of two sentences."""
    if form == "parquet":
        pq.write_table(pa.table({"tokens": [["She", "slept"], ["Dogs", "bark"]]}), path)
    else:
        path.write_text(CONTENTS[form])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


def test_a_passage_of_gap_is_a_document_of_sentences(path: Path) -> None:
    path.write_text(CONTENTS["gap"])
    (document,) = read_gap(str(path))
    assert document.id == "dev-1"
    assert [sentence.words for sentence in document.sentences] == [
        ["Ann", '"Bo"', "Low", "slept."],
        ["She", "woke,", "and", "Kim's", "dog", "barked."],
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not GAP's first line"),
        ("ID\tText\n", ":1: not GAP's first line"),
        (HEADER + "\n", "no passage"),
        (f"{HEADER}\n{GAP_ROW}\tmore\n", ":2: 12 columns"),
    ],
)
def test_what_is_not_gap_is_refused(path: Path, text: str, what: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match=what):
        list(read_gap(str(path)))


@pytest.mark.shared
@pytest.mark.parametrize(("name", "passages"), [("development", 2000), ("validation", 454)])
def test_every_passage_of_gap(shared: Path, name: str, passages: int) -> None:
    documents = list(read_gap(str(shared / "gap" / f"gap-{name}.tsv")))
    assert len({document.id for document in documents}) == passages
    assert all(document.sentences for document in documents)


def test_lines_of_word_and_head(path: Path) -> None:
    path.write_text(TREES)
    (document,) = read_word_head(str(path))
    first, second = document.sentences
    assert (first.words, first.heads) == (["She", "slept", "."], [2, 0, 2])
    assert first.relations == ["nsubj", "root", "punct"]
    assert (second.words, second.relations) == (["well-known", "dogs"], ["amod:x-y", "root"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no sentence"),
        ("She 2-nsubj\nslept\n", ":2: 'slept' is not `word head-relation`"),
        ("She nsubj-2\n", ":1: "),
        ("She 2-nsubj\n", ":1: the head is 2 of word 1 of 1"),
        ("a 0-root\n\nShe 1-nsubj\nb 0-root", ":3: the head is 1 of word 1 of 2"),
    ],
)
def test_other_lines_are_refused(path: Path, text: str, what: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError) as error:
        list(read_word_head(str(path)))
    assert what in str(error.value)


def test_conll_x_is_read_as_conllu(path: Path) -> None:
    path.write_text(CONLL_X)
    (document,) = read(CorpusConfig("x", "conllu", str(path)))
    first, second = document.sentences
    assert (first.heads, first.relations, first.xpos) == ([2, 0], ["prep", "root"], ["IN", "NNP"])
    assert second.words == ["She", "slept"]


@pytest.mark.parametrize("kind", ["sentence", "document", "pair"])
@pytest.mark.parametrize("form", list(FORMATS))
def test_every_format_makes_every_kind_of_example(path: Path, form: str, kind: str) -> None:
    write(path, form)
    segmenter = Segmenter(kind, LetterPieces(), 512, 512, Units(blocks=False), 0)  # type: ignore[arg-type]
    corpus = CorpusConfig("x", form, str(path))
    examples = [e for document in read(corpus) for e in segmenter.examples(document)]
    assert len(examples) == (2 if kind == "sentence" else 1)
    for example in examples:
        assert (example.roles == Role.SEP).sum() == (2 if kind == "pair" else 1)
        assert example.length == segmenter.counts["pieces"] or kind == "sentence"


def test_a_pattern_stands_for_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b/2_gold_conll", "a/1_gold_conll", "a/other"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(CONLL_2012.replace("(a)", f"({name})") + "\n")
    corpus = CorpusConfig("x", "conll2012", str(tmp_path / "**" / "*_gold_conll"))
    assert [Path(file).name for file in files(corpus)] == ["1_gold_conll", "2_gold_conll"]
    assert [d.id for d in read(corpus)] == ["a/1_gold_conll_0", "b/2_gold_conll_0"]
    with pytest.raises(InputError, match="no file matches"):
        fingerprint(CorpusConfig("x", "conll2012", str(tmp_path / "*.none")))


def test_a_name_with_a_bracket_is_a_file_before_it_is_a_pattern(tmp_path: Path) -> None:
    odd = tmp_path / "x[1].conllu"
    odd.write_text(CONLL_X)
    assert files(CorpusConfig("x", "conllu", str(odd))) == [str(odd)]
