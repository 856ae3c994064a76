"""What is too long, too deep, of another type or no file at all is refused, in one short line."""

from __future__ import annotations

import gzip
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attnray.config import CorpusConfig
from attnray.corpus import bounds, readers
from attnray.corpus.document import Document
from attnray.errors import InputError

ROW = "{}\t{}\t_\tNOUN\t_\t_\t0\troot\t_\t{}"
GAP_HEADER = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL"


def corpus(path: Path, form: str) -> CorpusConfig:
    return CorpusConfig(name="odd", format=form, path=str(path))


def documents(path: Path, form: str) -> list[Document]:
    return list(readers.read(corpus(path, form)))


def refused(path: Path, form: str, line: int | None = None) -> str:
    """The one short line with which a file is refused, behind the place it names."""
    with pytest.raises(InputError) as caught:
        documents(path, form)
    message = str(caught.value)
    place = f"{path}:" if line is None else f"{path}:{line}: "
    assert message.startswith(place)
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    return message


def sentence(words: int, *, misc: str = "_", word: str = "a") -> str:
    rows = (ROW.format(n, word, misc if n == 1 else "_") for n in range(1, words + 1))
    return "\n".join(rows) + "\n\n"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe that nobody writes to: whoever opens it waits."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def listening() -> Iterator[Path]:
    # Addresses of sockets must be short: pytest's own folder is too long.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as here:
        here.bind(f"{folder}/socket")
        yield Path(folder) / "socket"


@pytest.mark.parametrize("form", readers.FORMATS)
def test_what_is_no_file_is_not_opened(
    form: str, pipe: Path, listening: Path, tmp_path: Path
) -> None:
    for place in (pipe, listening, tmp_path, Path("/dev/zero")):
        refused(place, form)
        with pytest.raises(InputError, match=str(place)):
            readers.fingerprint(corpus(place, form))


@pytest.mark.parametrize("kind", ["bzip2", "xz", "zstd", "zip"])
def test_other_compressed_files_are_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes(
        {"bzip2": b"BZh9", "xz": b"\xfd7zXZ\0", "zstd": b"\x28\xb5\x2f\xfd", "zip": b"PK\3\4"}[kind]
    )
    assert kind in refused(path, "text")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", [each for each in readers.FORMATS if each != "parquet"])
def test_a_line_without_an_end(
    form: str, packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read further than the bound, of what is compressed either."""
    monkeypatch.setattr(bounds, "LINE", 2**17)
    path = tmp_path / "long"
    header = GAP_HEADER if form == "gap" else ""
    content = f"{header}\n".encode() + b"a" * 2**20
    path.write_bytes(gzip.compress(content) if packed else content)
    assert "a line of more than 131,072 bytes" in refused(path, form, 2)


def test_long_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("a cat " * 2**18 + "\n\nAnother.\n", encoding="utf-8")
    long, short = documents(path, "text")
    assert sum(len(each.words) for each in long.sentences) == 2**19
    assert [each.words for each in short.sentences] == [["Another."]]


SMALLER = {"LINE": 10_000, "JSON_LIST": 10_000, "NAME": 100, "SENTENCE_WORDS": 50}
SMALLER |= {"DOCUMENT_WORDS": 90, "DOCUMENT_SENTENCES": 40, "DOCUMENT_LETTERS": 1000}
SMALLER |= {"WORD": 200, "BRACKETS": 20, "RELATIONS": 30, "WINDOW": 500}
TOO_MUCH = [
    ("text", "a cat\n" * 5000, 1, "10,000"),
    ("text", "\n\n" + "a " * 51, 3, "51 words in a sentence"),
    ("text", "\n" + "The cat sat. " * 40, 2, "words in a document"),
    ("text", "a" * 201, 1, "201 characters in a word"),
    ("text", "It was\n" + "a" * 1000, 1, "1,000 characters in a word"),
    ("text", "\n" + "Ah! " * 41, 2, "41 sentences in a document"),
    ("text", "It was in " + ("a" * 150 + " ") * 7, 1, "letters in a document"),
    (
        "conllu",
        "".join(sentence(1).replace("root", f"r{n}") for n in range(31)),
        None,
        "31 different",
    ),
    (
        "gap",
        f"{GAP_HEADER}\n1\t{'he sat. ' * 63}\the\t0" + "\t" * 7,
        2,
        "504 characters in a passage",
    ),
    ("conllu", "# newdoc id = " + "a" * 101, 1, "101 characters in the name"),
    ("conllu", sentence(3) + sentence(51), 5, "51 words in a sentence"),
    ("conllu", sentence(40) + sentence(40) + sentence(11), 83, "91 words in a document"),
    ("conllu", sentence(400), None, "characters in a sentence"),
    ("conllu", sentence(1, word="a" * 201), 1, "201 characters in a word"),
    ("conllu", sentence(1, misc="Entity=" + "(e)" * 11), 1, "22 brackets"),
    ("conllu", sentence(1, misc="|".join(["Entity=(e)"] * 11)), 1, "22 brackets"),
    ("conllu", sentence(1).replace("root", "r" * 101), 1, "101 characters in a relation"),
    ("conllu", sentence(1).replace("\t0\t", "\t" + "9" * 5000 + "\t"), 1, "HEAD is '9999"),
    ("conllu", "9" * 5000 + sentence(1)[1:], 1, "the id 9999"),
    ("word_head", "a 0-root\n" * 51, 1, "51 words in a sentence"),
    ("word_head", ("a 0-root\n" * 30 + "\n") * 4, 94, "120 words in a document"),
    ("word_head", "a 0-root\n" * 1200, 1, "characters without a blank line"),
    ("word_head", "a " + "9" * 5000 + "-root", 1, "is not `word head-relation`"),
    ("conll2012", "#begin document (" + "a" * 100 + ")\n", 1, "characters in the name"),
    ("conll2012", "#begin document " + "a" * 5000, 1, "is not `#begin document"),
    ("json", json.dumps({"text": "a " * 51}), 1, "51 words in a sentence"),
    (
        "json",
        json.dumps({"words": ["a"], "doc_id": "a" * 101}),
        1,
        "101 characters in document or doc_id",
    ),
    ("json", "\n[\n" + '{"text": "a"},\n' * 2000, None, "characters in a list"),
]


@pytest.mark.parametrize(("form", "content", "line", "problem"), TOO_MUCH)
def test_too_much_of_anything_is_refused_where_it_stands(
    form: str,
    content: str,
    line: int | None,
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, smaller in SMALLER.items():
        monkeypatch.setattr(bounds, name, smaller)
    path = tmp_path / "much"
    path.write_text(content, encoding="utf-8")
    assert problem in refused(path, form, line)


DEEP = "[" * 100_000
ODD_JSON = {
    "deep": ('{"text": "a"}\n{"text": ' + DEEP, 2, "nested too deep"),
    "deep list": (DEEP, 1, "nested too deep"),
    "deep and closed": (DEEP + "]" * 100_000, 1, "nested too deep"),
    "deep name": ('{"words": ["a"], "idx": ' + "[" * 900 + "]" * 900 + "}", 1, "idx is [["),
    "digits": ('{"text": ' + "9" * 5000 + "}", 1, "4300 digits"),
    "digits in a list": ('[{"text": ' + "9" * 5000 + "}]", 1, "4300 digits"),
    "long number": ('{"text": ' + "9" * 4000 + "}", 1, "text is 999"),
    "long head": ('{"words": ["a"], "heads": [' + "9" * 4000 + "]}", 1, "the head is 999"),
    "head of digits": ('{"words": ["a"], "heads": ["' + "9" * 5000 + '"]}', 1, "the head is '999"),
    "surrogate": ('{"text": "\\ud800"}', 1, "surrogate"),
    "surrogate in a list": ('[{"words": ["a", "\\uDC00"]}]', 1, "surrogate"),
    "surrogate as a field": ('{"\\ud800": 1}', 1, "surrogate"),
    "a number of words": ('{"words": 5}', 1, "no list of strings"),
    "an object of words": ('{"tokens": {"a": 1}}', 1, "no list of strings"),
    "words of numbers": ('{"words": [1, 2]}', 1, "no list of strings"),
    "heads as a string": ('{"words": ["a"], "heads": "0"}', 1, "no list of 1 values"),
    "true as head": ('{"words": ["a"], "heads": [true], "deprel": ["root"]}', 1, "head is True"),
    "a list as head": ('{"words": ["a"], "heads": [[0]], "deprel": ["root"]}', 1, "head is [0]"),
    "text as object": ('{"text": {"en": "a"}}', 1, "text is {'en'"),
    "names without end": (json.dumps({"a" * 10**6: 1}), 1, "give text, words or tokens"),
}


@pytest.mark.parametrize(("content", "line", "problem"), ODD_JSON.values(), ids=ODD_JSON)
def test_json_of_any_depth_and_type(content: str, line: int, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        documents(path, "json")
    message = str(caught.value)
    assert message.startswith((f"{path}:{line}: ", f"{path}: object 1: "))
    assert problem in message
    assert len(message) < len(str(path)) + 300


def test_pairs_of_surrogates_are_characters(tmp_path: Path) -> None:
    path = tmp_path / "faces.json"
    path.write_text('{"text": "\\ud83d\\ude00 it is"}', encoding="utf-8")
    (document,) = documents(path, "json")
    assert document.sentences[0].words == ["\U0001f600", "it", "is"]


ODD_METADATA = [
    b"5",
    b"null",
    b"[",
    b"\xff",
    DEEP.encode(),
    b'{"info": []}',
    b'{"info": {"features": []}}',
    b'{"info": {"features": {"upos": 7}}}',
    b'{"info": {"features": {"upos": []}}}',
    b'{"info": {"features": {"upos": [[[5]]]}}}',
    b'{"info": {"features": {"upos": {"feature": {"feature": null}}}}}',
    b'{"info": {"features": {"upos": {"names": 5}}}}',
    b'{"info": {"features": {"upos": {"names": [[], 7]}}}}',
]


@pytest.mark.parametrize("metadata", ODD_METADATA, ids=lambda each: each.decode("latin1")[:60])
def test_parquet_with_any_metadata(metadata: bytes, tmp_path: Path) -> None:
    table = pa.table({"tokens": [["a", "b"]], "upos": [[0, 1]]})
    path = tmp_path / "odd.parquet"
    pq.write_table(table.replace_schema_metadata({"huggingface": metadata}), path)
    (document,) = documents(path, "parquet")
    assert document.sentences[0].words == ["a", "b"]
    assert document.sentences[0].upos == ["", ""]


def test_a_column_of_classes_that_is_no_list(tmp_path: Path) -> None:
    metadata = {"huggingface": json.dumps({"info": {"features": {"upos": {"names": ["NOUN"]}}}})}
    path = tmp_path / "odd.parquet"
    pq.write_table(
        pa.table({"tokens": [["a"]], "upos": [5]}).replace_schema_metadata(metadata), path
    )
    assert "upos is no list of 1 values" in refused(path, "parquet")


def test_long_passages_are_split_a_window_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if whole, but for sentences of half a window, as of a quote that is never closed."""
    path = tmp_path / "long.txt"
    said = [f'Mr. {"very " * (n % 9)}Poe has {n} cats, "Ah! Oh." he said.' for n in range(400)]
    path.write_text(" ".join(said), encoding="utf-8")
    whole = documents(path, "text")
    monkeypatch.setattr(bounds, "WINDOW", 300)
    assert documents(path, "text") == whole
    assert len(whole[0].sentences) == 400
    path.write_text("\u201cA b. C. " * 1000, encoding="utf-8")
    (document,) = documents(path, "text")
    assert {len(each.words) for each in document.sentences} == {
        101,
        71,
    }  # 300 characters and the rest
    assert sum(len(each.words) for each in document.sentences) == 3000


def test_a_passage_of_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LINE", 2**10)
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"text": ["a " * 2**9] * 40 + ["a" + "a " * 2**9]}), path)
    assert "row 41: 1,025 characters in a passage" in refused(path, "parquet")


def test_a_parse_of_any_depth(tmp_path: Path) -> None:
    """A word under 100,000 constituents, and another beside the innermost."""
    depth = 100_000
    columns = "doc 0 {} {} NN {} - - - - * -"
    rows = [columns.format(0, "a", "(NP" * depth + "*"), columns.format(1, "b", "*" + ")" * depth)]
    path = tmp_path / "deep_conll"
    path.write_text("\n".join(["#begin document (d)", *rows, "", "#end document"]), "utf-8")
    (document,) = documents(path, "conll2012")
    assert document.sentences[0].heads == [2, 0]
