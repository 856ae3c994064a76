"""Reading CoNLL-U: what is tolerated, what is refused and where, and that nothing is lost."""

from __future__ import annotations

import codecs
import os
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import ne
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from udapi.core.document import Document as UdapiDocument

from attnray.corpus.document import NO_HEAD, Document, Mention, Sentence
from attnray.corpus.formats.conllu import read_conllu
from attnray.errors import InputError


def row(
    identifier: int | str,
    form: str = "w",
    head: int | str = "_",
    relation: str = "_",
    upos: str = "_",
    xpos: str = "_",
    misc: str = "_",
    feats: str = "_",
) -> str:
    fields = (identifier, form, "_", upos, xpos, feats, head, relation, "_", misc)
    return "\t".join(map(str, fields))


def read(path: Path, text: str | bytes) -> list[Document]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_conllu(str(path)))


def words(documents: list[Document]) -> list[list[list[str]]]:
    return [[sentence.words for sentence in document.sentences] for document in documents]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "corpus.conllu"


SENTENCE = "\n".join(
    [
        "# sent_id = s-1",
        "# text = She's late.",
        "1-2\tShe's" + "\t_" * 8,
        row(1, "She", 3, "nsubj", "PRON", "PRP", feats="Gender=Fem|Number=Sing"),
        row(2, "'s", 3, "cop", "AUX"),
        "2.1\tso" + "\t_" * 8,
        row(3, "late", 0, "root", "ADJ", "JJ"),
        row(4, ".", 3, "punct:final", "PUNCT", "."),
    ]
)


def test_words_tags_heads_and_relations_of_a_sentence(path: Path) -> None:
    (document,) = read(path, SENTENCE + "\n\n")
    assert document == Document(
        "corpus-1",
        [
            Sentence(
                id="s-1",
                words=["She", "'s", "late", "."],
                upos=["PRON", "AUX", "ADJ", "PUNCT"],
                xpos=["PRP", "", "JJ", "."],
                heads=[3, 3, 0, 3],
                relations=["nsubj", "cop", "root", "punct:final"],
                feats=["Gender=Fem|Number=Sing", "", "", ""],
            )
        ],
        [],
        Counter(),
    )


def test_an_underscore_is_nothing_but_as_a_form_it_is_a_word(path: Path) -> None:
    (document,) = read(path, row(1, "_") + "\n\n")
    assert document.sentences == [Sentence("", ["_"], [""], [""], [NO_HEAD], [""], [""])]


def test_some_words_may_have_a_head_and_others_none(path: Path) -> None:
    (document,) = read(path, f"{row(1)}\n{row(2, head=1, relation='det')}\n")
    assert document.sentences[0].heads == [NO_HEAD, 1]
    assert document.sentences[0].relations == ["", "det"]


def test_a_form_may_have_spaces_of_any_kind(path: Path) -> None:
    forms = ["20 000", "in\u00a0spite", "a\u2028b", " ", "a\x0bb\x85c"]
    rows = [row(number, form) for number, form in enumerate(forms, 1)]
    assert words(read(path, "\n".join(rows))) == [[forms]]


def test_a_document_begins_at_newdoc_with_or_without_an_id(path: Path) -> None:
    one = row(1) + "\n\n"
    text = (
        f"{one}# newdoc\n{one}{one}# newdoc id = the third\n{one}#newdoc id=4\n{one}# newdoc\n{one}"
    )
    documents = read(path, text)
    assert [each.id for each in documents] == ["corpus-1", "corpus-2", "the third", "4", "corpus-5"]
    assert [len(each.sentences) for each in documents] == [1, 2, 1, 1, 1]


@pytest.mark.parametrize(
    "header",
    [
        "# global.columns = LEMMA ID FORM UPOS HEAD DEPREL X:Y",
        "#global.columns=LEMMA ID FORM UPOS HEAD DEPREL X:Y",
        "LEMMA\tID\tFORM\tUPOS\tHEAD\tDEPREL\tX:Y",
        "# LEMMA ID FORM UPOS HEAD DEPREL X:Y",
    ],
)
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_columns_are_those_that_the_file_names(header: str, bom: str, path: Path) -> None:
    rows = ["she\t1\tShe\tPRON\t2\tnsubj\t(1)", "leave\t2\tleft\tVERB\t0\troot\t_"]
    (document,) = read(path, "\n".join([bom + header, "# sent_id = a", *rows, ""]))
    expected = Sentence(
        "a", ["She", "left"], ["PRON", "VERB"], ["", ""], [2, 0], ["nsubj", "root"], ["", ""]
    )
    assert document.sentences == [expected]


def test_named_columns_may_hold_entities_and_lack_trees(path: Path) -> None:
    text = "# global.columns = ID FORM MISC\n1-2\tAnn's\t_\n1\tAnn\tEntity=(1)\n2\t's\t_\n"
    (document,) = read(path, text)
    assert document.sentences[0].heads == [NO_HEAD, NO_HEAD]
    assert document.mentions == [Mention(0, 0, "1")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# global.columns = ID UPOS\n1\tX\n", "1: the columns are ID UPOS: give ID and FORM"),
        ("# a\n# global.columns = ID FORM\n1\tw\tX\n", "3: 3 columns; .* names 2, separated"),
        ("ID FORM HEAD\n1\tw\t1\n", "2: word 1 is its own HEAD"),
    ],
)
def test_wrong_columns_say_where(text: str, message: str, path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(path, text)


def test_a_row_of_words_is_no_row_of_names(path: Path) -> None:
    assert words(read(path, f"# ID of FORM\n{row(1, 'ID')}\n")) == [[["ID"]]]


def test_a_file_without_newdoc_is_one_document(path: Path) -> None:
    (document,) = read(path, f"{row(1)}\n\n" * 3)
    assert (document.id, len(document.sentences)) == ("corpus-1", 3)


def test_a_blank_id_of_a_document_is_none(path: Path) -> None:
    assert [each.id for each in read(path, f"# newdoc id =  \n{row(1)}\n")] == ["corpus-1"]


def test_a_document_without_a_sentence_is_none(path: Path) -> None:
    documents = read(path, f"# newdoc id = a\n\n# newdoc id = b\n{row(1)}\n\n# newdoc id = c\n")
    assert [each.id for each in documents] == ["b"]


def test_other_comments_do_not_begin_a_document(path: Path) -> None:
    one = row(1) + "\n\n"
    (document,) = read(path, f"{one}# newpar\n{one}# newdocument\n{one}# text = # newdoc\n{one}")
    assert len(document.sentences) == 4


@pytest.mark.parametrize(
    "comments",
    [
        "# newdoc id = d\n# sent_id = s\n",
        "# sent_id = s\n# newdoc id = d\n",
        "# newdoc id = d\n\n# sent_id = s\n#\n",
        "#\n# a = b\n#newdoc id=d\n\n\n#sent_id=s\n\n",
    ],
)
def test_comments_may_stand_in_any_order_before_a_sentence(comments: str, path: Path) -> None:
    (_, document) = read(path, f"# sent_id = other\n{row(1)}\n\n{comments}{row(1)}\n\n{row(1)}\n")
    assert document.id == "d"
    assert [sentence.id for sentence in document.sentences] == ["s", ""]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n") + "\n",
        lambda text: text.rstrip("\n"),
        lambda text: "\n\n" + text.replace("\n\n", "\n\n\n\n"),
        lambda text: text.replace("\n\n", "\n \t\n"),
        lambda text: "\ufeff" + text.replace("\n", "\r\n").rstrip(),
    ],
    ids=[
        "CRLF",
        "BOM",
        "no final blank line",
        "no final newline",
        "more blank lines",
        "blank lines with spaces",
        "BOM, CRLF, no final newline",
    ],
)
def test_the_layout_of_the_file_changes_nothing(change: Callable[[str], str], path: Path) -> None:
    text = f"# newdoc id = d\n{SENTENCE}\n\n# newdoc\n{SENTENCE}\n\n"
    expected = read(path, text)
    assert len(expected) == 2
    assert read(path, change(text)) == expected


def test_a_very_long_sentence(path: Path) -> None:
    count = 30_000
    (document,) = read(path, "\n".join(row(n, head=n - 1, relation="r") for n in range(1, count)))
    assert document.sentences[0].heads == list(range(count - 1))


def test_only_one_document_is_in_memory(path: Path) -> None:
    one = "\n".join(row(number, f"word-{number}") for number in range(1, 401))
    path.write_text(f"# newdoc\n{one}\n\n" * 100)
    tracemalloc.start()
    try:
        assert sum(len(document.sentences) for document in read_conllu(str(path))) == 100
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 2


def test_documents_before_an_error_are_given(path: Path) -> None:
    path.write_text(f"{row(1)}\n\n# newdoc\n{row(2)}\n")
    documents = read_conllu(str(path))
    assert next(documents).id == "corpus-1"
    with pytest.raises(InputError):
        next(documents)


@pytest.mark.parametrize(
    ("rows", "line", "parts"),
    [
        (["1\tthe"], 1, ["2 columns", "10", "tabs"]),
        (["1 the the DET DT _ 2 det _ _"], 1, ["1 columns", "10", "tabs"]),
        ([row(1), row(2) + "\t_"], 2, ["11 columns"]),
        ([row(1), "2-3\tw"], 2, ["2 columns"]),
        ([row(2)], 1, ["id 2", "1"]),
        ([row(0)], 1, ["id 0", "1"]),
        ([row(1), row(3)], 2, ["id 3", "2"]),
        ([row(1), row(1)], 2, ["id 1", "2"]),
        ([row("01")], 1, ["id 01", "1"]),
        ([row("x")], 1, ["'x'", "3-4", "3.1"]),
        ([row("")], 1, ["''"]),
        ([row("-1")], 1, ["'-1'"]),
        ([row(1, head="x", relation="r")], 1, ["HEAD", "'x'"]),
        ([row(1, head="", relation="r")], 1, ["HEAD", "''"]),
        ([row(1, head="-1", relation="r")], 1, ["HEAD", "'-1'"]),
        ([row(1, head="01", relation="r")], 1, ["HEAD", "'01'"]),
        ([row(1, head="²", relation="r")], 1, ["HEAD", "'²'"]),
        ([row(1, head="1.1", relation="r")], 1, ["HEAD", "'1.1'"]),
        ([row(1, head="9" * 5000, relation="r")], 1, ["HEAD"]),
        ([row(1), row(2, head=3, relation="r"), row("2.1")], 2, ["HEAD is 3", "2 words"]),
        ([row(1), row(2, head=2, relation="r")], 2, ["word 2", "own HEAD"]),
        ([row(1), row(2, head=1)], 2, ["word 2", "no DEPREL"]),
        ([row(1, head=0, relation="")], 1, ["word 1", "no DEPREL"]),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_cannot_be_read_says_where(
    rows: list[str], line: int, parts: list[str], ending: str, path: Path
) -> None:
    before = ["# newdoc", "", "# text", row(1), ""]
    with pytest.raises(InputError) as caught:
        read(path, ending.join([*before, *rows, "", row(1), ""]))
    message = str(caught.value)
    assert message.startswith(f"{path}:{len(before) + line}: ")
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("text", "line", "byte"),
    [
        (b"# caf\xe9\n" + SENTENCE.encode(), 1, 6),
        (SENTENCE.encode() + b"\n\n1\t\xff", SENTENCE.count("\n") + 3, 3),
        ("# x\n#é".encode("cp437"), 2, 2),
        ("\ufeff# é".encode()[:-1], 1, 6),
    ],
    ids=["Latin 1", "after a sentence", "code page 437", "cut within a character"],
)
def test_a_line_that_is_not_utf_8(text: bytes, line: int, byte: int, path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(path, text)
    assert str(caught.value).startswith(f"{path}:{line}: byte {byte} is not UTF-8;")


def test_a_file_in_utf_16(path: Path) -> None:
    with pytest.raises(InputError, match=r":1: .*UTF-8"):
        read(path, codecs.BOM_UTF16_LE + SENTENCE.encode("utf-16-le"))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# newdoc id = a\n# text\n\n", "\ufeff", "1-2" + "\t_" * 9]
)
def test_a_file_without_a_sentence(text: str, path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(path, text)
    assert str(caught.value).startswith(f"{path}: no sentence")


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        next(read_conllu(str(path)))
    assert str(caught.value).startswith(f"{path}: No such file")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        next(read_conllu(str(tmp_path)))
    assert str(caught.value).startswith(f"{tmp_path}: Is a directory")


def test_a_file_that_may_not_be_read(path: Path) -> None:
    path.touch(mode=0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(InputError) as caught:
        next(read_conllu(str(path)))
    assert str(caught.value).startswith(f"{path}: Permission denied")


# Random documents, written out and read back


@dataclass
class Draft:
    """A document with its lines, and what reading them must give."""

    lines: list[str]
    id: str | None
    sentences: list[Sentence] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


NAMES = st.text("abc-_=# é9", min_size=1, max_size=6).map(str.strip).filter(bool)
FORMS = st.one_of(
    st.sampled_from(["_", "#", "1", "the", "new york"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5),
)
TAGS = st.sampled_from(["", "NOUN", "PRON", "PRP$", "``"])
RELATIONS = st.sampled_from(["nsubj", "nmod:poss", "punct", "x y"])


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    forms = draw(st.lists(FORMS, min_size=1, max_size=6))
    heads, relations = [], []
    for number in range(1, len(forms) + 1):
        heads.append(draw(st.integers(NO_HEAD, len(forms)).filter(partial(ne, number))))
        some = RELATIONS if heads[-1] != NO_HEAD else st.one_of(st.just(""), RELATIONS)
        relations.append(draw(some))
    upos, xpos, feats = ([draw(TAGS) for _ in forms] for _ in range(3))
    name = draw(st.one_of(st.just(""), NAMES))
    return Sentence(name, forms, upos, xpos, heads, relations, feats)


@dataclass
class Place:
    """A word or an empty node (`word` is None), and the brackets it closes, holds and opens."""

    word: int | None
    closes: list[str] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    opens: list[str] = field(default_factory=list)

    def entity(self) -> str:
        return "".join([*(f"{e})" for e in self.closes), *self.holds, *self.opens])


def mark(places: list[Place], start: int, end: int, name: str, attributes: str = "") -> None:
    """Write the brackets of a mention at the places where it begins and ends."""
    if start == end:
        places[start].holds.append(f"({name}{attributes})")
    else:
        places[start].opens.append(f"({name}{attributes}")
        places[end].closes.append(name)


def cross(one: tuple[int, int], other: tuple[int, int]) -> bool:
    (a, b), (c, d) = sorted([one, other])
    return a < c < b < d


@st.composite
def annotated(draw: st.DrawFn, draft: Draft, places: list[Place]) -> None:
    """Add mentions of all kinds between places, no two of one entity crossing."""
    ends = st.integers(0, len(places) - 1)
    spans = st.tuples(ends, ends).map(lambda span: (min(span), max(span)))
    attributes = st.sampled_from(["", "-person", "-x-1-new,y[1/2]"])
    taken: list[tuple[str, tuple[int, int]]] = []
    for entity in draw(st.lists(st.sampled_from(["1", "11", "e2"]), max_size=6)):
        span = draw(spans)
        if any(entity == other and cross(span, at) for other, at in taken):
            continue
        taken.append((entity, span))
        mark(places, *span, entity, draw(attributes))
        first, last = (places[at].word for at in span)
        if first is None or last is None:
            draft.left_out["mentions_on_empty_nodes"] += 1
        else:
            draft.mentions.append(Mention(first, last, entity))
    for number in range(draw(st.integers(0, 2))):
        parts = draw(st.lists(spans, min_size=2, max_size=3))
        for part, span in enumerate(parts, 1):
            mark(places, *span, f"d{number}[{part}/{len(parts)}]", draw(attributes))
        draft.left_out["discontinuous_mentions"] += 1
    draft.mentions.sort()


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    draft = Draft([], draw(st.one_of(st.none(), NAMES)))
    layout: list[list[tuple[str, Place | None, str]]] = []
    places: list[Place] = []
    ranges: list[Mention] = []
    count = 0
    for sentence in draw(st.lists(sentences(), min_size=1, max_size=3)):
        draft.sentences.append(sentence)
        lines: list[tuple[str, Place | None, str]] = []
        for number in range(len(sentence.words) + 1):
            if number:
                if number < len(sentence.words) and draw(st.booleans()):
                    lines.append((f"{number}-{number + 1}", None, "ab"))
                    ranges.append(Mention(count, count + 1, "r1"))
                places.append(Place(count))
                count += 1
                lines.append((str(number), places[-1], sentence.words[number - 1]))
            for empty in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
                places.append(Place(None))
                lines.append((f"{number}.{empty + 1}", places[-1], "_"))
        layout.append(lines)
    draw(annotated(draft, places))
    draft.mentions = sorted([*draft.mentions, *ranges])
    for sentence, lines in zip(draft.sentences, layout, strict=True):
        draft.lines += [f"# sent_id = {sentence.id}"] if sentence.id else []
        draft.lines += draw(st.lists(st.sampled_from(["# text = newdoc", "#", "# newpar"])))
        for identifier, place, form in lines:
            draft.lines.append(line_of(sentence, identifier, place, form))
        draft.lines += [""] * draw(st.integers(1, 3))
    return draft


def line_of(sentence: Sentence, identifier: str, place: Place | None, form: str) -> str:
    entity = place.entity() if place else "(r1)"
    misc = f"SpaceAfter=No|Entity={entity}" if entity else "_"
    if place is None or place.word is None:
        return row(identifier, form, misc=misc)
    at = int(identifier) - 1
    head = "_" if sentence.heads[at] == NO_HEAD else sentence.heads[at]
    columns = (sentence.relations, sentence.upos, sentence.xpos, sentence.feats)
    relation, upos, xpos, feats = (column[at] or "_" for column in columns)
    return row(identifier, form, head, relation, upos, xpos, misc, feats)


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each random example writes anew."""
    return tmp_path_factory.mktemp("random") / "corpus.conllu"


@pytest.mark.slow
@given(
    corpus=st.lists(drafts(), min_size=1, max_size=3),
    headless=st.booleans(),
    bom=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
    cut=st.booleans(),
)
@settings(max_examples=200)
def test_random_documents_are_read_back(
    corpus: list[Draft], headless: bool, bom: bool, ending: str, cut: bool, rewritten: Path
) -> None:
    lines: list[str] = []
    expected = []
    for number, draft in enumerate(corpus, 1):
        if headless and number == 1:
            draft.id = None
        else:
            lines.append("# newdoc" + (f" id = {draft.id}" if draft.id else ""))
        lines += draft.lines
        name = draft.id or f"corpus-{number}"
        expected.append(Document(name, draft.sentences, draft.mentions, draft.left_out))
    text = ending.join(lines) + ending
    text = ("\ufeff" if bom else "") + (text.rstrip("\r\n") if cut else text)
    assert read(rewritten, text) == expected


@given(content=st.binary(max_size=60) | st.text("1\t_\n#(-)=Entity").map(str.encode))
@settings(max_examples=200)
def test_anything_at_all_is_read_or_refused(content: bytes, rewritten: Path) -> None:
    try:
        documents = read(rewritten, content)
    except InputError:
        return
    assert documents
    assert all(sentence.words for document in documents for sentence in document.sentences)


# Real corpora, against another reader


@pytest.mark.shared
@pytest.mark.parametrize("name", ["ewt/en_ewt-ud-dev.conllu", "gum/ontogum-dev.conllu"])
def test_real_corpora_read_as_udapi_reads_them(name: str, shared: Path) -> None:
    path = shared / name
    ours = [
        (document.id, sentence)
        for document in read_conllu(str(path))
        for sentence in document.sentences
    ]
    assert ours == udapi_sentences(path)


def udapi_sentences(path: Path) -> list[tuple[str, Sentence]]:
    """Each sentence as udapi has it, with the id of its document."""
    corpus = UdapiDocument()
    corpus.from_conllu_string(path.read_text(encoding="utf-8"))
    found = []
    document = ""
    for bundle in corpus.bundles:
        (tree,) = bundle.trees
        document = tree.newdoc or document
        nodes = tree.descendants
        sentence = Sentence(
            id=tree.sent_id,
            words=[node.form for node in nodes],
            upos=[node.upos for node in nodes],
            xpos=["" if node.xpos == "_" else node.xpos for node in nodes],
            heads=[node.parent.ord for node in nodes],
            relations=[node.deprel for node in nodes],
            feats=["" if str(node.feats) == "_" else str(node.feats) for node in nodes],
        )
        found.append((document, sentence))
    return found
