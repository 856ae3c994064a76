"""Mentions from `Entity=`: nested, crossing, left out, malformed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from udapi.core.coref import CorefMention
from udapi.core.document import Document as UdapiDocument
from udapi.core.node import Node

from attnray.corpus.document import Document, Mention
from attnray.corpus.formats.conllu import read_conllu
from attnray.corpus.formats.entities import Entities
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


def test_entities_on_ranges_of_multiword_tokens_are_skipped(tmp_path: Path) -> None:
    path = written(tmp_path, [("1-2", "(9)"), ("1", "(1"), ("2", "1)")])
    assert only_document(path).mentions == [Mention(0, 1, "1")]


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
