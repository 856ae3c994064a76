"""Reading unlabelled text: documents, sentences and words, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnray.corpus.document import NO_HEAD, Document
from attnray.corpus.formats.text import read_text
from attnray.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "story.txt"


def read(path: Path, text: str | bytes, language: str = "en") -> list[Document]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_text(str(path), language))


def words(documents: list[Document]) -> list[list[list[str]]]:
    return [[sentence.words for sentence in document.sentences] for document in documents]


def test_documents_sentences_and_words(path: Path) -> None:
    documents = read(path, "She saw Dr. Smith. He\nleft, too.\n\nIt was  late.\n")
    assert [document.id for document in documents] == ["story-1", "story-2"]
    assert words(documents) == [
        [["She", "saw", "Dr.", "Smith."], ["He", "left,", "too."]],
        [["It", "was", "late."]],
    ]


def test_nothing_is_known_of_the_words(path: Path) -> None:
    (document,) = read(path, "It rains.")
    (sentence,) = document.sentences
    assert sentence.id == ""
    assert sentence.upos == sentence.xpos == sentence.relations == ["", ""]
    assert sentence.heads == [NO_HEAD, NO_HEAD]
    assert document.mentions == []
    assert not document.left_out


def test_the_sentence_splitter_is_told_the_language(path: Path) -> None:
    text = "Er kam am 3. Mai an."
    assert words(read(path, text, "de")) == [[text.split()]]
    assert len(read(path, text, "en")[0].sentences) == 2


@pytest.mark.parametrize(
    "text",
    [
        "One.\nTwo.\n\nThree.",
        "One.\nTwo.\n\nThree.\n",
        "\ufeffOne.\nTwo.\n\nThree.\n",
        "One.\r\nTwo.\r\n\r\nThree.\r\n",
        "\n\n\nOne.\nTwo.\n\n\n\nThree.\n\n\n",
        "One.\nTwo.\n \t\u00a0\nThree.\n",
        "  One.\t\n\tTwo.\n\n  Three.  ",
        "\ufeff\nOne.\nTwo.\n\nThree.\n",
    ],
    ids=[
        "no final newline",
        "plain",
        "BOM",
        "CRLF",
        "many blank lines",
        "a line of spaces",
        "spaces around lines",
        "BOM alone",
    ],
)
def test_the_layout_of_the_file_changes_nothing(text: str, path: Path) -> None:
    documents = read(path, text)
    assert [document.id for document in documents] == ["story-1", "story-2"]
    assert words(documents) == [[["One."], ["Two."]], [["Three."]]]


def test_documents_before_an_error_are_given(path: Path) -> None:
    path.write_bytes(b"Fine.\n\n\nCaf\xe9.\n")
    documents = read_text(str(path))
    assert next(documents).id == "story-1"
    with pytest.raises(InputError) as caught:
        next(documents)
    assert str(caught.value).startswith(f"{path}:4: byte 4 is not UTF-8;")


@pytest.mark.parametrize("text", ["", "\n", " \r\n\t\n", "\ufeff"])
def test_a_file_without_text(text: str, path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(path, text)
    assert str(caught.value).startswith(f"{path}: no text in it;")


def test_a_file_that_is_not_there_and_a_folder(path: Path) -> None:
    for place, problem in [(path, "No such file"), (path.parent, "Is a directory")]:
        with pytest.raises(InputError) as caught:
            next(read_text(str(place)))
        assert str(caught.value).startswith(f"{place}: {problem}")


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each random example writes anew."""
    return tmp_path_factory.mktemp("random") / "story.txt"


#: A line that is not blank; one that begins with a BOM would lose it.
LINES = st.one_of(
    st.text("ab .!?'\"([1é\u00a0\u2028。", min_size=1, max_size=20),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r\ufeff")),
).filter(str.strip)


@given(corpus=st.lists(st.lists(LINES, min_size=1, max_size=3), min_size=1, max_size=3))
@settings(max_examples=200)
def test_no_character_of_a_document_is_lost(corpus: list[list[str]], rewritten: Path) -> None:
    documents = read(rewritten, "\n\n".join("\n".join(lines) for lines in corpus))
    assert len(documents) == len(corpus)
    for document, lines in zip(documents, corpus, strict=True):
        found = [word for sentence in document.sentences for word in sentence.words]
        assert "".join(found) == "".join(" ".join(lines).split())
        assert all(word.split() == [word] for word in found)
        assert all(sentence.words for sentence in document.sentences)


@pytest.mark.shared
def test_passages_of_wikipedia(shared: Path, path: Path) -> None:
    rows = (shared / "gap" / "gap-validation.tsv").read_text(encoding="utf-8").splitlines()[1:]
    passages = [row.split("\t")[1] for row in rows]
    documents = read(path, "\n\n".join(passages))
    for document, passage in zip(documents, passages, strict=True):
        found = [word for sentence in document.sentences for word in sentence.words]
        assert "".join(found) == "".join(passage.split())
    assert sum(len(document.sentences) for document in documents) > 2 * len(passages)
