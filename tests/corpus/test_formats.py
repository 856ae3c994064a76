"""GAP, lines of `word head-relation`, CoNLL-X, patterns of files; each kind of example of each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attnray.config import CorpusConfig
from attnray.corpus.agreement import PRONOUNS
from attnray.corpus.formats.gap import COLUMNS, read_gap
from attnray.corpus.formats.word_head import read_word_head
from attnray.corpus.readers import FORMATS, files, fingerprint, guess_format, read
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.errors import InputError
from attnray.model.pieces import TokenRole
from tests.builders.random_maps import LetterPieces
from tests.builders.segmented import examples_of

HEADER = "\t".join(COLUMNS)
PASSAGE = 'Ann "Bo" Low slept. She woke, and Kim\'s dog barked.'
FIELDS = ["dev-1", PASSAGE, "She", "20", 'Ann "Bo" Low', "0", "TRUE"]
FIELDS += ["Kim", "34", "FALSE", "http://x"]
GAP_ROW = "\t".join(FIELDS)
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
        ["She", "woke,", "and", "Kim", "'s", "dog", "barked."],
    ]
    assert document.sentences[0].upos == ["", "", "PROPN", ""]
    assert document.sentences[1].upos == ["PRON", "", "", "PROPN", "", "", ""]
    ann, she, kim = document.mentions
    assert [(m.start, m.end) for m in document.mentions] == [(0, 2), (4, 4), (7, 7)]
    assert ann.entity == she.entity != kim.entity


def gap_row(**changed: str) -> str:
    return "\t".join((dict(zip(COLUMNS, FIELDS, strict=True)) | changed).values())


@pytest.mark.parametrize(
    ("labels", "same"),
    [
        (("FALSE", "TRUE"), {"She", "Kim"}),
        (("FALSE", "FALSE"), {"She"}),
        (("TRUE", "TRUE"), {"Ann", "She", "Kim"}),
    ],
)
def test_the_pronoun_has_the_entity_of_its_names(
    path: Path, labels: tuple[str, str], same: set[str]
) -> None:
    row = gap_row(**dict(zip(("A-coref", "B-coref"), labels, strict=True)))
    path.write_text(f"{HEADER}\n{row}\n")
    (document,) = read_gap(str(path))
    entities = dict(zip(("Ann", "She", "Kim"), document.mentions, strict=True))
    own = entities["She"].entity
    assert {name for name, mention in entities.items() if mention.entity == own} == same
    assert len({mention.entity for mention in document.mentions}) == 4 - len(same)


def test_no_sentence_ends_within_a_name(path: Path) -> None:
    text = "He met Vitamin C. Smith. (she slept)"
    fields = {"Text": text, "Pronoun": "she", "Pronoun-offset": "26", "A": "He", "B-offset": "7"}
    name = {"B": "Vitamin C. Smith", "B-coref": "FALSE"}
    path.write_text(f"{HEADER}\n{gap_row(**fields, **name)}\n")
    (document,) = read_gap(str(path))
    assert [sentence.words for sentence in document.sentences] == [
        ["He", "met", "Vitamin", "C.", "Smith", "."],
        ["(", "she", "slept)"],
    ]
    assert [(m.start, m.end) for m in document.mentions] == [(0, 0), (2, 4), (7, 7)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not GAP's first line"),
        ("ID\tText\n", ":1: not GAP's first line"),
        (HEADER + "\n", "no passage"),
        (f"{HEADER}\n{GAP_ROW}\tmore\n", ":2: 12 columns"),
        (f"{HEADER}\n{gap_row(**{'A-coref': 'yes'})}\n", ":2: A-coref is 'yes'; it must be TRUE"),
        (f"{HEADER}\n{gap_row(**{'B-offset': '-1'})}\n", ":2: B-offset is '-1'; it must be a num"),
        (f"{HEADER}\n{gap_row(**{'B-offset': '33'})}\n", ":2: the text at B-offset 33 is not B"),
        (f"{HEADER}\n{gap_row(**{'B-offset': '99'})}\n", ":2: the text at B-offset 99 is not B"),
        (f"{HEADER}\n{GAP_ROW}\n{gap_row(Pronoun='')}\n", ":3: the text at Pronoun-offset 20 is"),
    ],
)
def test_what_is_not_gap_is_refused(path: Path, text: str, what: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match=what):
        list(read_gap(str(path)))


@pytest.mark.shared
@pytest.mark.parametrize(("name", "passages"), [("development", 2000), ("validation", 454)])
def test_every_passage_of_gap(shared: Path, name: str, passages: int) -> None:
    path = shared / "gap" / f"gap-{name}.tsv"
    documents = list(read_gap(str(path)))
    assert len({document.id for document in documents}) == passages
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    for document, row in zip(documents, rows, strict=True):
        text, pronoun, a, a_right, b, b_right = (row[column] for column in (1, 2, 4, 6, 7, 9))
        words = [word for sentence in document.sentences for word in sentence.words]
        upos = [tag for sentence in document.sentences for tag in sentence.upos]
        assert "".join(words) == "".join(text.split())
        said = sorted([(int(row[3]), pronoun), (int(row[5]), a), (int(row[8]), b)])
        found = [words[m.start : m.end + 1] for m in document.mentions]
        assert found == [form.split() for _, form in said]
        (own,) = (m for m in document.mentions if upos[m.end] == "PRON")
        assert words[own.start : own.end + 1] == [pronoun]
        names = {m.start: m for m in document.mentions if m != own}
        right = [names[start].entity == own.entity for start in sorted(names)]
        labels = sorted([(int(row[5]), a_right), (int(row[8]), b_right)])
        assert right == [label == "TRUE" for _, label in labels]
        assert all(upos[m.end] == "PROPN" for m in names.values())
    listed = Counter(PRONOUNS[row[2].lower()].gender for row in rows)
    assert listed == {"Fem": passages // 2, "Masc": passages // 2}


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


@pytest.mark.parametrize("form", sorted({*FORMATS} - {"text"}))
@pytest.mark.parametrize("other", FORMATS)
def test_a_file_of_another_format_is_told_by_name(path: Path, form: str, other: str) -> None:
    write(path, form)
    if other != form:
        with pytest.raises(InputError, match=f"corpus.* of {form}: say corpus={form} corpus.path"):
            list(read(CorpusConfig("x", other, str(path))))


def test_columns_are_no_prose(path: Path) -> None:
    path.write_text("EU\tNNP\tB-ORG\nrejects\tVBZ\tO\n\nPeter\tNNP\tB-PER\n")
    with pytest.raises(InputError, match=r"corpus: no prose, .* 3 columns each"):
        list(read(CorpusConfig("x", "text", str(path))))


def test_a_file_that_git_did_not_fetch_is_no_corpus(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    for form in FORMATS:
        with pytest.raises(InputError, match=r"corpus: a pointer of Git LFS; .* `git lfs pull`"):
            list(read(CorpusConfig("x", form, str(path))))


def test_sentences_of_one_word_are_told_from_prose(path: Path) -> None:
    path.write_text("Yes 0-root\n\nNo 0-root\n")
    assert guess_format(str(path)) == "word_head"


@pytest.mark.parametrize(
    "text", ["won 0-2\nlost 3-2\n", "see 0-x\n", "a 1-b\nc 2-d", "x 0-r\ny", "# 1\n1\tb\tc"]
)
def test_prose_may_have_such_lines(text: str, path: Path) -> None:
    path.write_text(text)
    (document,) = read(CorpusConfig("x", "text", str(path)))
    assert [word for each in document.sentences for word in each.words] == text.split()


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
    examples = examples_of(segmenter, *read(corpus))
    assert len(examples) == (2 if kind == "sentence" else 1)
    for example in examples:
        assert (example.roles == TokenRole.SEP).sum() == (2 if kind == "pair" else 1)
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
