"""JSON and Parquet: the same rows of fields in both, as documents, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attnray.config import CorpusConfig
from attnray.corpus.document import NO_HEAD, Document
from attnray.corpus.formats.parquet import BATCH, parquet_rows
from attnray.corpus.formats.word_head import read_word_head
from attnray.corpus.readers import annotated, default_segment, read
from attnray.errors import InputError

#: As the authors' preprocessing writes them: trees, word pieces of pairs, and text.
TREES: list[dict[str, Any]] = [
    {
        "words": ["She", "saw", "him"],
        "relns": ["nsubj", "root", "dobj"],
        "heads": [2, 0, 2],
    },
    {"words": ["Dogs", "bark"], "relns": ["nsubj", "root"], "heads": [2, 0]},
]
PIECES = ["[CLS]", "she", "saw", "jim", "##my", ".", "he", "[SEP]"]
PIECES += ["was", "un", "##hap", "##py", "[SEP]"]
TEXT: list[dict[str, Any]] = [
    {"text": "It rained.  She\nleft."},
    {"text": ""},
    {"text": None},
    {"text": "Dogs bark."},
]
WRITTEN = ["list", "lines", "gzip", "parquet"]


def write(folder: Path, rows: list[dict[str, Any]], how: str) -> CorpusConfig:
    """A corpus of these rows."""
    path = folder / ("rows.parquet" if how == "parquet" else "rows.json")
    lines = "\n".join(map(json.dumps, rows)) + "\n"
    if how == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif how == "gzip":
        path = path.with_suffix(".json.gz")
        path.write_bytes(gzip.compress(lines.encode()))
    else:
        path.write_text(json.dumps(rows, indent=1) if how == "list" else lines)
    return CorpusConfig("x", "parquet" if how == "parquet" else "json", str(path))


def words(documents: list[Document]) -> list[list[list[str]]]:
    return [[sentence.words for sentence in document.sentences] for document in documents]


@pytest.mark.parametrize("how", WRITTEN)
def test_trees_of_the_authors_are_as_the_lines_they_come_from(how: str, tmp_path: Path) -> None:
    lines = tmp_path / "rows.txt"
    lines.write_text(
        "\n".join(
            "".join(
                f"{word} {head}-{relation}\n"
                for word, head, relation in zip(
                    row["words"], row["heads"], row["relns"], strict=True
                )
            )
            for row in TREES
        )
    )
    corpus = write(tmp_path, TREES, how)
    assert list(read(corpus)) == list(read_word_head(str(lines)))
    assert annotated(corpus)
    assert default_segment(corpus) == "sentence"


@pytest.mark.parametrize("how", WRITTEN)
def test_word_pieces_become_words_and_their_segments_sentences(how: str, tmp_path: Path) -> None:
    corpus = write(tmp_path, [{"tokens": PIECES}, {"tokens": PIECES[:4]}], how)
    documents = list(read(corpus))
    assert words(documents) == [
        [["she", "saw", "jimmy", ".", "he"], ["was", "unhappy"]],
        [["she", "saw", "jim"]],
    ]
    assert [document.id for document in documents] == ["rows-1", "rows-2"]
    assert not annotated(corpus)
    assert default_segment(corpus) == "pair"


@pytest.mark.parametrize("how", WRITTEN)
def test_each_text_is_a_document(how: str, tmp_path: Path) -> None:
    corpus = write(tmp_path, TEXT, how)
    assert words(list(read(corpus))) == [
        [["It", "rained."], ["She", "left."]],
        [["Dogs", "bark."]],
    ]
    assert not annotated(corpus)


@pytest.mark.parametrize("how", WRITTEN)
def test_consecutive_sentences_of_a_document(how: str, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"words": ["a"], "document": "one", "upos": ["DET"], "tags": ["DT"], "sent_id": "s1"},
        {"words": ["b"], "document": "one", "upos": ["_"], "tags": [None], "sent_id": "s2"},
        {"words": [], "document": "none", "upos": [], "tags": [], "sent_id": "s3"},
        {"words": ["c"], "document": "two", "upos": ["NOUN"], "tags": ["NN"], "sent_id": "s4"},
    ]
    one, two = read(write(tmp_path, rows, how))
    assert (one.id, two.id) == ("one", "two")
    assert words([one, two]) == [[["a"], ["b"]], [["c"]]]
    assert [s.upos + s.xpos for s in one.sentences] == [["DET", "DT"], ["", ""]]
    assert [s.id for s in one.sentences] == ["s1", "s2"]
    assert one.sentences[0].heads == [NO_HEAD]
    limited = write(tmp_path, rows, how)
    limited.limit = 1
    assert [document.id for document in read(limited)] == ["one"]


def test_universal_dependencies_of_the_hub(tmp_path: Path) -> None:
    """Ranges of multiword tokens and empty nodes have the head None; tags are class labels."""
    labels = {"_type": "ClassLabel", "names": ["NOUN", "AUX", "PRON", "PART", "_"]}
    features = {"upos": {"_type": "Sequence", "feature": labels}}
    table = pa.table(
        {
            "idx": ["s1"],
            "text": ["Dogs don't."],
            "tokens": [["Dogs", "don't", "do", "n't", "E"]],
            "upos": [[0, 4, 1, 3, 4]],
            "xpos": [["NNS", None, "VBP", "RB", "VB"]],
            "head": [["2", "None", "0", "2", "None"]],
            "deprel": [["nsubj", "_", "root", "advmod", "_"]],
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, tmp_path / "x.parquet")
    (document,) = read(CorpusConfig("x", "parquet", str(tmp_path / "x.parquet")))
    (sentence,) = document.sentences
    assert (sentence.id, sentence.words) == ("s1", ["Dogs", "do", "n't"])
    assert (sentence.heads, sentence.relations) == ([2, 0, 2], ["nsubj", "root", "advmod"])
    assert (sentence.upos, sentence.xpos) == (["NOUN", "AUX", "PART"], ["NNS", "VBP", "RB"])


def test_unknown_heads_and_tags_without_names(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"tokens": ["a", "b", "c"], "head": ["_", None, "1"], "deprel": ["_", None, "det"]},
        {"tokens": ["a", "b"], "head": ["None", "None"], "deprel": ["_", "_"]},
    ]
    corpus = write(tmp_path, rows, "lines")
    first, second = next(read(corpus)).sentences
    assert (first.heads, first.relations) == ([NO_HEAD, NO_HEAD, 1], ["", "", "det"])
    assert (second.words, second.heads) == (["a", "b"], [NO_HEAD, NO_HEAD])
    table = pa.table({"tokens": [["a"]], "upos": [[3]]})
    pq.write_table(table, tmp_path / "x.parquet")
    (document,) = read(CorpusConfig("x", "parquet", str(tmp_path / "x.parquet")))
    assert document.sentences[0].upos == [""]


def test_parquet_is_read_in_batches(tmp_path: Path) -> None:
    count = 2 * BATCH + 1
    pq.write_table(pa.table({"text": [f"Dog {i}." for i in range(count)]}), tmp_path / "x.parquet")
    documents = list(read(CorpusConfig("x", "parquet", str(tmp_path / "x.parquet"))))
    assert [d.sentences[0].words[1] for d in documents] == [f"{i}." for i in range(count)]
    first = next(parquet_rows(str(tmp_path / "x.parquet")))
    assert first.where.endswith("x.parquet: row 1")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "no text and no sentence in it"),
        ('{"text": " "}', "no text and no sentence in it"),
        ('{"text": "a"}\n\n{"text": }', ":3: no JSON (Expecting value)"),
        ('[\n{"text": "a"},\n{"text": }]', ":3: no JSON (Expecting value)"),
        ('{\n"text": "a"}', ":1: no JSON"),
        ('{"data": []}', ":1: it has data; give text, words or tokens"),
        ("{}", ":1: it has nothing"),
        ("[1]", ": object 1: 1 is no object"),
        ('{"text": "a"}\n{"words": ["a"]}', ":2: words where the rows before have text"),
        ('{"text": 7}', ":1: text is 7; give a string"),
        ('{"words": "a"}', ":1: words or tokens is no list of strings"),
        ('{"words": [1]}', ":1: words or tokens is no list of strings"),
        ('[{"words": ["a"], "heads": [0, 1]}]', "object 1: heads or head is no list of 1 values"),
        ('{"words": ["a"], "heads": [1], "relns": ["x"]}', "the head is 1 of word 1 of 1"),
        ('{"words": ["a"], "heads": [2], "relns": ["x"]}', "the head is 2 of word 1 of 1"),
        ('{"words": ["a"], "heads": ["x"], "relns": ["x"]}', "the head is 'x' of word 1 of 1"),
        ('{"words": ["a"], "heads": [0]}', "word 1 has a head but no relation"),
    ],
)
def test_json_that_cannot_be_used(content: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        list(read(CorpusConfig("x", "json", str(path))))
    assert str(error.value).startswith(f"{path}")
    assert what in str(error.value)
    assert "\n" not in str(error.value)


def test_parquet_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    corpus = CorpusConfig("x", "parquet", str(path))
    with pytest.raises(InputError, match="No such file"):
        list(read(corpus))
    path.write_text("no Parquet at all")
    with pytest.raises(InputError, match=r"x\.parquet: not Parquet, or damaged \("):
        list(read(corpus))
    pq.write_table(pa.table({"label": [1]}), path)
    with pytest.raises(InputError, match="its columns are label; give text, words or tokens"):
        list(read(corpus))
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), path)
    with pytest.raises(InputError, match="no text and no sentence"):
        list(read(corpus))
    pq.write_table(pa.table({"tokens": [["a"]], "head": [[7]], "deprel": [["x"]]}), path)
    with pytest.raises(InputError, match=r"x\.parquet: row 1: the head is 7 of word 1 of 1"):
        list(read(corpus))
