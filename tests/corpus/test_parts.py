"""The parts of a corpus: together they are the corpus, errors and names included."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnray.config import CorpusConfig
from attnray.corpus import parts as corpus_parts
from attnray.corpus.document import Document
from attnray.corpus.files import lines as file_lines
from attnray.corpus.files.lines import WHOLE
from attnray.corpus.parts import documents, has_documents, parts, whole
from attnray.corpus.readers import read
from attnray.errors import InputError


def row(identifier: str, misc: str = "_") -> str:
    return "\t".join([identifier, "w", *"_______", misc])


WORD = row("1")
#: Columns by which the rows are words, too, as long as they have ids.
MOVED = "ID C D E F G H I FORM MISC"
#: Lines that make documents, and lines that are wrong.
CONLLU = st.sampled_from(
    [
        *("# newdoc", "# newdoc id = d", "#newdoc", "#\u00a0newdoc id=e", "# newdocument"),
        *("# sent_id = s", "# text = newdoc", "#", "", "", "", " ", "\u00a0"),
        *(WORD, row("1", "Entity=(e)"), row("1-2"), row("0.1")),
        *("# global.Entity = etype-eid", "#global.Entity=eid", f"# global.columns = {MOVED}"),
        *(f"# {MOVED}", "# global.columns = ID FORM C D E F G H I MISC", "# global.x = FORM"),
    ]
)
CONLLU_FAULTS = st.sampled_from(
    ["1\tw", f"w\t{WORD[2:]}", "# global.columns = X", row("1", "Entity=(e"), "x", "\ufeff# newdoc"]
)
TEXT = st.sampled_from(["One. Two.", "Three", "", "", " \t", "\u00a0", "\x85", "\ufeff"])
CONTENTS = {"conllu": (CONLLU, CONLLU_FAULTS), "text": (TEXT, TEXT)}


def written(path: Path, lines: list[str], ending: str, bom: bool, bad: int | None) -> None:
    raw = [line.encode() for line in lines]
    if bad is not None and raw:
        raw[bad % len(raw)] += b"\xff"
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + ending.encode().join(raw))


def until_error(found: Iterator[Document]) -> tuple[list[Document], str | None]:
    """What is given before an error, and the error."""
    given: list[Document] = []
    try:
        given.extend(found)
    except InputError as error:
        return given, str(error)
    return given, None


def in_parts(corpus: CorpusConfig) -> Iterator[Document]:
    return chain.from_iterable(documents(corpus, part) for part in parts(corpus))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whose files each random example writes anew."""
    return tmp_path_factory.mktemp("random")


@pytest.mark.parametrize("form", list(CONTENTS))
def test_parts_are_the_whole(form: str, folder: Path) -> None:
    good, faults = CONTENTS[form]

    @given(
        lines=st.lists(st.one_of(good, good, good, faults), max_size=40) | st.lists(good),
        other=st.lists(good, max_size=10),
        ending=st.sampled_from(["\n", "\r\n"]),
        bom=st.booleans(),
        bad=st.none() | st.none() | st.integers(0, 40),
        size=st.sampled_from([1, 1, 20, 60, 120]),
        block=st.sampled_from([1, 10, 50, 2**15]),
    )
    @example([WORD, "", "# sent_id = s", "# newdoc"] * 4, [], "\n", False, None, 1, 50)
    @example([WORD, "", "# sent_id = s", "", "# newdoc"] * 4, [], "\n", False, None, 1, 50)
    @example([WORD, "", "#\u00a0newdoc", WORD, "", "# newdoc"] * 4, [], "\n", False, None, 1, 50)
    @example([f"# {MOVED}", "# newdoc", WORD, ""] * 4, [], "\r\n", True, None, 1, 50)
    @example(
        ["# global.columns = X ID FORM", "# newdoc", "a\t1\tb", ""] * 4, [], "\n", True, None, 1, 1
    )
    @example([f"{WORD.removesuffix('_')}Entity=(e", "# newdoc"], [], "\n", False, 1, 1, 1)
    @example(["One.", ""] * 20, [], "\n", True, 30, 1, 50)
    def check(
        lines: list[str],
        other: list[str],
        ending: str,
        bom: bool,
        bad: int | None,
        size: int,
        block: int,
    ) -> None:
        paths = [folder / f"{name}.{form}" for name in ("one", "two")]
        written(paths[0], lines, ending, bom, bad)
        written(paths[1], other, ending, bom, None)
        corpus = CorpusConfig("x", form, [str(path) for path in paths])
        expected = until_error(read(corpus))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(corpus_parts, "PART_BYTES", size)
            patch.setattr(file_lines, "BLOCK", block)
            found = until_error(in_parts(corpus))
        assert found[1] == expected[1]
        # How far the documents came before an error is nobody's concern.
        common = min(len(found[0]), len(expected[0])) if expected[1] else None
        assert found[0][:common] == expected[0][:common]
        if expected[1] is None and form == "conllu":
            for count in (1, 2, 3, len(expected[0]) + 1):
                assert has_documents(corpus, count) == (len(expected[0]) >= count)

    check()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 200 bytes."""
    monkeypatch.setattr(corpus_parts, "PART_BYTES", 200)


def corpus_of(path: Path, content: str, form: str = "conllu") -> CorpusConfig:
    path.write_text(content)
    return CorpusConfig("x", form, str(path))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("form", "document"),
    [("conllu", f"# newdoc\n{WORD}\n\n{WORD}\n\n"), ("text", f"{'word ' * 10}\n\n")],
)
def test_a_part_ends_with_the_first_document_that_fills_it(
    form: str, document: str, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "a", document * 40, form)
    found = [stretch.span for (stretch,) in parts(corpus)]
    assert len(found) > 5
    assert found[0].start == found[0].lines == found[0].documents == 0
    for span, following in pairwise(found):
        assert span.end == following.start
        assert 200 <= following.start - span.start < 200 + len(document)
        assert following.start == len(document) * following.documents
        assert following.lines == document.count("\n") * following.documents
    assert found[-1].end is None
    assert [each.id for each in in_parts(corpus)] == [f"a-{n}" for n in range(1, 41)]


@pytest.mark.usefixtures("small")
def test_what_cannot_be_cut_is_one_part(tmp_path: Path) -> None:
    document = f"# newdoc\n{WORD}\n\n"
    without = corpus_of(tmp_path / "a.conllu", f"{WORD}\n\n" * 40)
    small = corpus_of(tmp_path / "b.conllu", document * 3)
    packed = tmp_path / "c.conllu.gz"
    packed.write_bytes(gzip.compress((document * 400).encode()))
    other = corpus_of(tmp_path / "d.txt", "She 0-root\n\n" * 40, "word_head")
    for corpus in (without, small, CorpusConfig("x", "conllu", str(packed)), other):
        assert parts(corpus) == [whole(corpus)]
        assert [stretch.span for stretch in whole(corpus)] == [WHOLE]


@pytest.mark.usefixtures("small")
def test_small_files_are_put_together(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.conllu").write_text(f"{WORD}\n\n" * 3)
    corpus = CorpusConfig("x", "conllu", str(tmp_path / "*.conllu"))
    size = (tmp_path / "0.conllu").stat().st_size
    assert 200 / 4 < size < 200 / 3
    assert [len(part) for part in parts(corpus)] == [4, 4, 1]
    assert [each.id for each in in_parts(corpus)] == [f"{n}-1" for n in range(9)]


@pytest.mark.usefixtures("small")
def test_an_error_in_a_later_part_has_the_line_of_the_file(tmp_path: Path) -> None:
    good = f"# newdoc\n{WORD}\n\n" * 40
    corpus = corpus_of(tmp_path / "a.conllu", f"{good}# newdoc\n2\tw\n")
    *before, last = parts(corpus)
    for part in before:
        assert len(list(documents(corpus, part))) > 3
    with pytest.raises(InputError) as caught:
        list(documents(corpus, last))
    assert str(caught.value).startswith(f"{tmp_path / 'a.conllu'}:{good.count(chr(10)) + 2}: ")


def test_a_file_that_another_machine_cut_is_found_here(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "a.conllu", f"# newdoc id = d\n{WORD}\n")
    (stretch,) = whole(corpus)
    elsewhere = corpus_parts.Stretch("/elsewhere/a.conllu", stretch.number, stretch.span)
    assert [each.id for each in documents(corpus, (elsewhere,))] == ["d"]


@pytest.mark.parametrize("limit", [None, 1, 3, 5])
@pytest.mark.parametrize("form", ["conllu", "json"])
def test_documents_are_counted_within_the_limit(
    form: str, limit: int | None, tmp_path: Path
) -> None:
    contents = {
        "conllu": f"# newdoc\n{WORD}\n\n# newdoc\n\n" * 4,
        "json": "".join(f'{{"words": ["w"], "document": {n}}}\n' for n in range(4)),
    }
    corpus = corpus_of(tmp_path / "a", contents[form], form)
    corpus.limit = limit
    assert [has_documents(corpus, n) for n in range(1, 6)] == [
        n <= min(4, limit or 4) for n in range(1, 6)
    ]
