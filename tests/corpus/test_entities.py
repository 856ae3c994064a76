"""Mentions from `Entity=`: nested, crossing, left out, malformed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from udapi.core.coref import CorefMention
from udapi.core.document import Document as UdapiDocument
from udapi.core.node import Node

from attnray.corpus.document import Document, Mention
from attnray.corpus.formats.conllu import read_conllu
from attnray.corpus.formats.entities import Entities, Order
from attnray.errors import InputError

Span = tuple[int, int, str]


def spans(*values: str) -> list[Span]:
    """The mentions of a document with these values of `Entity=`, "" for none, one per word."""
    entities = Entities("f")
    for word, value in enumerate(values):
        if value:
            entities.read(value, word, line=word + 1)
    assert not entities.left_out
    return [(mention.start, mention.end, mention.entity) for mention in entities.end()]


def written(tmp_path: Path, *sentences: list[tuple[str, str]]) -> Path:
    """A file of sentences, given as the ids of their lines with the value of `Entity=`, or ""."""
    path = tmp_path / "f.conllu"
    columns = "\tw\t_\t_\t_\t_\t_\t_\t_\t"
    with path.open("w") as file:
        for sentence in sentences:
            for identifier, entity in sentence:
                file.write(f"{identifier}{columns}{f'A=b|Entity={entity}' if entity else '_'}\n")
            file.write("\n")
    return path


def only_document(path: Path) -> Document:
    (document,) = read_conllu(str(path))
    return document


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["(1)"], [(0, 0, "1")]),
        (["(1", "", "1)"], [(0, 2, "1")]),
        (["(1(2)", "1)"], [(0, 0, "2"), (0, 1, "1")]),
        (["(1", "1)(2(3)", "2)"], [(0, 1, "1"), (1, 1, "3"), (1, 2, "2")]),
        (["(1)(2)"], [(0, 0, "1"), (0, 0, "2")]),
        (["(12", "(1)", "12)"], [(0, 2, "12"), (1, 1, "1")]),
    ],
    ids=["one word", "several words", "nested", "concatenated", "same span", "two digits"],
)
def test_plain_ids(values: list[str], expected: list[Span]) -> None:
    assert spans(*values) == expected


def test_rich_forms_end_with_the_bare_id_and_the_entity_ends_at_the_first_dash() -> None:
    values = ["(d07e1-object-2-new-cf1:2,x-y-coref", "(d07e2-person-1)d07e1)"]
    assert spans(*values) == [(0, 1, "d07e1"), (1, 1, "d07e2")]


def test_mentions_of_two_entities_may_cross() -> None:
    assert spans("(1", "(2", "1)", "2)") == [(0, 2, "1"), (1, 3, "2")]


def test_a_closing_bracket_ends_the_latest_opening_of_its_entity() -> None:
    assert spans("(1", "(2", "(1", "1)", "2)", "1)") == [(0, 5, "1"), (1, 4, "2"), (2, 3, "1")]
    assert spans("(1", "(1)", "1)(1", "1)") == [(0, 2, "1"), (1, 1, "1"), (2, 3, "1")]


def test_mentions_are_ordered_by_start_then_end() -> None:
    assert spans("(2(1", "(3)", "1)", "2)") == [(0, 2, "1"), (0, 3, "2"), (1, 1, "3")]


def test_words_count_on_through_the_sentences_of_a_document(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", ""), ("2", "(1)")], [("1", ""), ("2", "(1"), ("3", "1)")])
    assert only_document(path).mentions == [Mention(1, 1, "1"), Mention(3, 4, "1")]


def test_a_mention_may_go_on_in_the_next_sentence(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", ""), ("2", "(1")], [("1", "1)")])
    assert only_document(path).mentions == [Mention(1, 2, "1")]


def test_other_attributes_of_misc_are_not_entities(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", "(1)|Bridge=1<2|MyEntity=(3")])
    assert only_document(path).mentions == [Mention(0, 0, "1")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("1-2", "(9)"), ("1", ""), ("2", "")], [(0, 1, "9")]),
        ([("1-2", "(9)"), ("1", "(1"), ("2", "1)")], [(0, 1, "1"), (0, 1, "9")]),
        ([("1", "(9"), ("2-3", "9)"), ("2", ""), ("3", "(1)")], [(0, 2, "9"), (2, 2, "1")]),
        ([("1-2", "(9"), ("1", ""), ("2", ""), ("3", "9)")], [(0, 2, "9")]),
    ],
    ids=["on", "beside others", "to", "from"],
)
def test_a_mention_on_a_multiword_token_is_one_on_its_words(
    lines: list[tuple[str, str]], expected: list[Span], tmp_path: Path
) -> None:
    first = [("1", ""), ("2", "")]
    document = only_document(written(tmp_path, first, lines))
    assert [(m.start - 2, m.end - 2, m.entity) for m in document.mentions] == expected


@pytest.mark.parametrize("identifier", ["1-3", "0-1", "2-1", "1-" + "9" * 5000])
def test_a_mention_on_words_that_there_are_not(identifier: str, tmp_path: Path) -> None:
    path = written(tmp_path, [(identifier, "(9)"), ("1", ""), ("2", "")])
    with pytest.raises(InputError, match=r":1: the range .* the sentence does not have"):
        only_document(path)


GUM = "entity-GRP-infstat-MIN-coref_type-identity"


@pytest.mark.parametrize(
    ("order", "values", "expected"),
    [
        ("etype-eid", ["(person-1)", "(person-2)", "(place-1)"], ["1 0 0", "2 1 1", "1 2 2"]),
        (GUM, ["(person-1-new-1-coref-A-B)"], ["1 0 0"]),
        (GUM, ["(place-3-new-2-coref", "", "place-3)"], ["3 0 2"]),
        (GUM, ["(place-3-new-2-coref", "", "3)"], ["3 0 2"]),
        (GUM, ["(place-3-new", "(place-4-giv", "3)", "4)"], ["3 0 2", "4 1 3"]),
        (GUM, ["(place-3-new", "(place-4-giv", "place)", "place)"], ["4 1 2", "3 0 3"]),
        (GUM, ["(place-3-new", "(place-4-giv", "4)", "place)"], ["4 1 2", "3 0 3"]),
        ("infstat-etype-grp", ["(new-place-3", "new)"], ["3 0 1"]),
        ("infstat-etype-grp", ["(new-place-3", "(giv-place-3", "new-place)", "3)"],
         ["3 0 2", "3 1 3"]),
        ("identity-GRP", ["(A-B-C-7", "A-B-C-7)", "(D-7)"], ["7 0 1", "7 2 2"]),
        ("GRP-etype-infstat-identity", ["(7-person-new", "7-person)"], ["7 0 1"]),
        ("eid-etype-head-other", ["(e1-person-1-x(e2-place-1-y)", "e1)"], ["e2 0 0", "e1 0 1"]),
    ],
)  # fmt: skip
def test_the_entity_is_the_group_wherever_it_stands(
    order: str, values: list[str], expected: list[str]
) -> None:
    entities = Entities("f", Order.of(order))
    for word, value in enumerate(values):
        if value:
            entities.read(value, word, line=word + 1)
    found = [f"{m.entity} {m.start} {m.end}" for m in entities.end()]
    assert sorted(found) == sorted(expected)
    assert not entities.left_out


def test_a_part_of_a_discontinuous_mention_wherever_the_group_stands() -> None:
    entities = Entities("f", Order.of("etype-eid"))
    for word, value in enumerate(["(person-5[1/2]-x", "5[1/2])", "(person-5[2/2])", "(place-6)"]):
        entities.read(value, word, line=1)
    assert entities.end() == [Mention(3, 3, "6")]
    assert entities.left_out == Counter(discontinuous_mentions=1)


@pytest.mark.parametrize(
    ("order", "values", "kept"),
    [
        ("etype-identity", ["(person-Ann)", "(person", "person)(place"], []),
        ("etype-eid", ["(person)", "(person(person-1)", "person)(place-1)"], [(1, 1), (2, 2)]),
    ],
)
def test_a_mention_without_a_group_is_counted(
    order: str, values: list[str], kept: list[tuple[int, int]]
) -> None:
    entities = Entities("f", Order.of(order))
    for word, value in enumerate(values):
        entities.read(value, word, line=1)
    assert [(m.start, m.end) for m in entities.end()] == kept
    brackets = sum(value.count("(") for value in values)
    assert entities.left_out == Counter(mentions_without_group=brackets - len(kept))


def test_the_header_says_the_order_until_the_next_one(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", "(person-1)"), ("2", "(place-1)")])
    first = path.read_text()
    second = first.replace("person-1", "1-person")
    path.write_text(
        f"# global.Entity = etype-eid\n# newdoc\n{first}# newdoc\n{first}"
        f"# newdoc\n#global.entity=eid-etype\n{second}"
    )
    one, two, three = read_conllu(str(path))
    assert one.mentions == two.mentions == [Mention(0, 0, "1"), Mention(1, 1, "1")]
    assert three.mentions == [Mention(0, 0, "1"), Mention(1, 1, "place")]


def test_what_is_said_goes_before_the_header(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", "(1-person)")])
    path.write_text("# global.Entity = etype-eid\n" + path.read_text())
    (document,) = read_conllu(str(path), entity="eid")
    assert document.mentions == [Mention(0, 0, "1")]


@pytest.mark.parametrize(
    "values",
    [
        ["(person-1)", "(Place-2)"],
        ["(person-Ann)", "(person-Bob)"],
        ["(hero)"] * 4,
        ["(hero)(villain)"] * 4,
        ["(place-1", "", "1)"],
        ["(place-1(person-1", "person-1)", "1)"],
    ],
)
def test_names_that_look_like_types_are_asked_about(values: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, [("1", "")], [(str(n), v) for n, v in enumerate(values, 1)])
    with pytest.raises(InputError, match=r":3: .* look like types; .*corpus.entity=etype-eid"):
        only_document(path)
    if "-" in values[0]:
        assert next(read_conllu(str(path), entity="etype-eid")).mentions[0].entity in "1Ann"
    if "1)" in values:
        return
    (document,) = read_conllu(str(path), entity="eid")
    assert len(document.mentions) == sum(value.count("(") for value in values)


@pytest.mark.parametrize("values", [["(ann)", "(bob)", "(ann)"], ["(1)"] * 9, ["(person1)"] * 9])
def test_other_names_are_entities(values: list[str]) -> None:
    assert len(spans(*values)) == len(values)


def test_many_names_are_entities() -> None:
    names = [f"({one}{other})" for one in "abcdef" for other in "uvwxyz"]
    assert len(spans(*names * 4)) == 4 * 36


@pytest.mark.parametrize(
    ("values", "count", "kept"),
    [
        (["(1[1/2]-x)", "", "(1[2/2]-x)"], 1, []),
        (["(1[1/3]", "1[1/3])", "(1[2/3])", "", "(1[3/3]", "1[3/3])"], 1, []),
        (["(1[1/2])", "(1[2/2])(1[1/2])", "(1[2/2])"], 2, []),
        (["(1(1[1/2])", "1)", "(1[2/2])"], 1, [Mention(0, 1, "1")]),
        (["(1[1/2]", "(1", "1[1/2])", "1)", "(1[2/2])"], 1, [Mention(1, 3, "1")]),
    ],
    ids=["two parts", "three parts", "two mentions", "around", "crossing its own entity"],
)
def test_a_discontinuous_mention_is_left_out_and_counted_once(
    values: list[str], count: int, kept: list[Mention]
) -> None:
    entities = Entities("f")
    for word, value in enumerate(values):
        if value:
            entities.read(value, word, line=1)
    assert entities.end() == kept
    assert entities.left_out == Counter(discontinuous_mentions=count)


@pytest.mark.parametrize(
    "lines",
    [
        [("1", ""), ("1.1", "(1)"), ("2", "(2)")],
        [("1", ""), ("1.1", "(1"), ("2", "1)(2)")],
        [("1", "(1"), ("2", "(2)"), ("2.1", "1)")],
        [("0.1", "(1"), ("1", ""), ("1.1", "1)"), ("2", "(2)")],
    ],
    ids=["on", "from", "to", "between"],
)
def test_a_mention_on_an_empty_node_is_left_out_and_counted(
    lines: list[tuple[str, str]], tmp_path: Path
) -> None:
    document = only_document(written(tmp_path, lines))
    assert document.mentions == [Mention(1, 1, "2")]
    assert document.left_out == Counter(mentions_on_empty_nodes=1)


def test_a_mention_around_an_empty_node_is_kept(tmp_path: Path) -> None:
    document = only_document(written(tmp_path, [("1", "(1"), ("1.1", ""), ("2", "1)")]))
    assert document.mentions == [Mention(0, 1, "1")]
    assert not document.left_out


def test_a_discontinuous_mention_on_an_empty_node_is_counted_once(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", ""), ("1.1", "(1[1/2])"), ("2", "(1[2/2])")])
    assert only_document(path).left_out == Counter(discontinuous_mentions=1)


@pytest.mark.parametrize(
    "value",
    ["", "1", "(", ")", "()", "(1)2", "1(2)", "((1)", "(1))", "(-x)", "(1[2)", "(1[1/2]x)", "_"],
)
def test_malformed_brackets(value: str, tmp_path: Path) -> None:
    path = written(tmp_path, [("1", ""), ("2", "(1)")])
    path.write_text(path.read_text().replace("Entity=(1)", f"Entity={value}"))
    with pytest.raises(InputError) as caught:
        only_document(path)
    assert str(caught.value).startswith(f"{path}:2: Entity={value} has brackets")


def test_a_closing_bracket_without_an_opening(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", "(1)")], [("1", "(2"), ("2", "1)")])
    with pytest.raises(InputError) as caught:
        only_document(path)
    assert str(caught.value).startswith(f"{path}:4: a mention of 1 closes that was never opened;")


def test_a_mention_still_open_where_its_document_ends(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", "(1"), ("2", "(2)")])
    path.write_text("# newdoc\n" + path.read_text() + "# newdoc\n" + path.read_text())
    with pytest.raises(InputError) as caught:
        next(read_conllu(str(path)))
    assert str(caught.value).startswith(f"{path}:2: the mention of 1 that opens here is never")


def test_entities_of_one_document_are_not_open_in_the_next(tmp_path: Path) -> None:
    path = written(tmp_path, [("1", "(1)")])
    closing = path.read_text().replace("(1)", "1)")
    path.write_text("# newdoc\n" + path.read_text() + "# newdoc\n" + closing)
    documents = read_conllu(str(path))
    assert next(documents).mentions == [Mention(0, 0, "1")]
    with pytest.raises(InputError, match=":5: "):
        next(documents)


@pytest.mark.shared
def test_ontogum_has_the_mentions_that_udapi_reads(shared: Path) -> None:
    path = shared / "gum" / "ontogum-dev.conllu"
    theirs = udapi_mentions(path)
    ours = {
        document.id: [(each.start, each.end, each.entity) for each in document.mentions]
        for document in read_conllu(str(path))
    }
    assert ours == theirs
    values = re.findall(r"\bEntity=([^|\n]*)", path.read_text(encoding="utf-8"))
    assert sum(map(len, ours.values())) == sum(value.count("(") for value in values)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("order", "written_so"),
    [
        ("entity-GRP-infstat", lambda e: (f"thing-{e}-new", f"thing-{e}")),
        ("infstat-etype-GRP-identity", lambda e: (f"new-x-{e}-A-B", e)),
        ("eid-etype-head-minspan", lambda e: (f"{e}-thing-1-1,2", e)),
    ],
)
def test_ontogum_has_the_same_mentions_in_every_order(
    order: str, written_so: Callable[[str], tuple[str, str]], shared: Path, tmp_path: Path
) -> None:
    def rewritten(bracket: re.Match[str]) -> str:
        opens, closes = written_so(bracket["entity"])
        return f"({opens}{bracket['end']}" if bracket["start"] else f"{closes}{bracket['end']}"

    def entities(value: re.Match[str]) -> str:
        return re.sub(r"(?P<start>\(?)(?P<entity>[^()]+)(?P<end>\)?)", rewritten, value[0])

    path = shared / "gum" / "ontogum-dev.conllu"
    text = path.read_text(encoding="utf-8").replace("Entity = GRP", f"Entity = {order}")
    other = tmp_path / "ontogum-dev.conllu"
    other.write_text(re.sub(r"(?<=\bEntity=)[^|\n]+", entities, text), encoding="utf-8")
    assert list(read_conllu(str(other))) == list(read_conllu(str(path)))


def udapi_mentions(path: Path) -> dict[str, list[Span]]:
    """The mentions of each document as udapi has them, by the ids of the file."""
    corpus = UdapiDocument()
    corpus.from_conllu_string(path.read_text(encoding="utf-8"))
    documents = documents_of(corpus)
    position = {
        node: (name, number)
        for name, nodes in documents.items()
        for number, node in enumerate(nodes)
    }
    found: dict[str, list[Span]] = {name: [] for name in documents}
    for mention in (each for entity in corpus.coref_entities for each in entity.mentions):
        name, span = span_of(mention, position)
        found[name].append(span)
    return {name: sorted(each) for name, each in found.items()}


def documents_of(corpus: UdapiDocument) -> dict[str, list[Node]]:
    """The words of each document."""
    documents: dict[str, list[Node]] = {}
    for bundle in corpus.bundles:
        (tree,) = bundle.trees
        if tree.newdoc:
            words = documents.setdefault(tree.newdoc, [])
        words.extend(tree.descendants)
    return documents


def span_of(mention: CorefMention, position: dict[Node, tuple[str, int]]) -> tuple[str, Span]:
    """The document of a mention, and its first and last word there.

    Udapi puts the number of the document, as in `d3.`, before ids that are plain.
    """
    places = sorted(position[word] for word in mention.words if not word.is_empty())
    (name,) = {name for name, _ in places}
    entity = mention.entity.eid.partition(".")[2]
    return name, (places[0][1], places[-1][1], entity)
