"""CoNLL-2012: words, coreference, and head words by Collins' rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnray.corpus.document import NO_HEAD, Document, Mention
from attnray.corpus.formats.conll2012 import read_conll2012
from attnray.corpus.formats.head_rules import Constituent, dependency_heads, head_child
from attnray.corpus.mentions import head_word, mention_type
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.errors import InputError
from tests.builders.conll2012 import row, sentence, written
from tests.builders.random_maps import LetterPieces
from tests.builders.segmented import examples_of

Tree = tuple[str, list["Tree"]] | tuple[str, str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.v4_gold_conll"


BEGIN = "#begin document (a); part 000"
ANN = "(TOP (S (NP (NP (NNP Ann) (POS 's)) (NN dog)) (VP (VBD saw) (NP (PRP her))) (. /.)))"


def test_words_tags_mentions_and_heads_of_a_document(path: Path) -> None:
    brackets = {0: "(1|(0", 1: "0)", 2: "1)", 4: "(0)"}
    (document,) = read_conll2012(written(path, sentence(ANN, brackets)))
    assert document.id == "bc/x/00/x_0000_0"
    (found,) = document.sentences
    assert found.words == ["Ann", "'s", "dog", "saw", "her", "."]
    assert found.xpos == ["NNP", "POS", "NN", "VBD", "PRP", "."]
    assert found.upos == found.relations == found.feats == [""] * 6
    # saw governs dog and her and the full stop, dog governs 's, and that Ann
    assert found.heads == [2, 3, 4, 0, 4, 4]
    assert document.mentions == [Mention(0, 1, "0"), Mention(0, 2, "1"), Mention(4, 4, "0")]
    assert head_word(0, 2, found.heads) == 2
    assert mention_type("", found.xpos[4]) == "pronoun"


def test_parts_are_documents_and_mentions_count_words_over_sentences(path: Path) -> None:
    first = sentence("(TOP (S (NP (NNP Ann)) (VP (VBD slept))))", {0: "(7)"})
    second = sentence("(TOP (S (NP (PRP She)) (VP (VBD woke))))", {0: "(7)"})
    text = Path(written(path, first, second)).read_text()
    path.write_text(text + text.replace("part 000", "part 011"))
    documents = list(read_conll2012(str(path)))
    assert [document.id[-3:] for document in documents] == ["0_0", "_11"]
    for document in documents:
        assert document.mentions == [Mention(0, 0, "7"), Mention(2, 2, "7")]


def test_nested_mentions_of_one_entity_close_the_latest_opening(path: Path) -> None:
    rows = [row(n, w, "NN", coreference=c) for n, (w, c) in enumerate(
        [("a", "(3"), ("b", "(3"), ("c", "3)|(4)"), ("d", "3)")]
    )]  # fmt: skip
    (document,) = read_conll2012(written(path, rows))
    spans = [Mention(0, 3, "3"), Mention(1, 2, "3"), Mention(2, 2, "4")]
    assert document.mentions == spans


def test_a_sentence_without_a_tree_has_no_heads(path: Path) -> None:
    rows = [row(0, "-LRB-", "-LRB-"), row(1, "/-", ":"), row(2, "``", "``")]
    (document,) = read_conll2012(written(path, rows))
    assert document.sentences[0].heads == [NO_HEAD] * 3
    assert document.sentences[0].words == ["(", "-", '"']


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        (["stray"], 1, "outside"),
        (["#begin document bc"], 1, "#begin document"),
        ([BEGIN, "a 0 0 w"], 2, "columns"),
        ([BEGIN, row(1, "w", "NN")], 2, "word number"),
        ([BEGIN, row(0, "w", "NN", "(NP"), ""], 2, "parse bit"),
        ([BEGIN, row(0, "w", "NN", "(NP*"), ""], 2, "inside of NP"),
        ([BEGIN, row(0, "w", "NN", "(NP*))"), ""], 2, "closes more"),
        ([BEGIN, row(0, "w", "NN", coreference="3)")], 2, "closes"),
        ([BEGIN, row(0, "w", "NN", coreference="(3"), "", "#end document"],
         2, "never closed"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_line(
    path: Path, lines: list[str], where: int, what: str
) -> None:
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=what) as error:
        list(read_conll2012(str(path)))
    assert f":{where}:" in str(error.value)


def test_columns_of_litbank(path: Path) -> None:
    def line(number: int, word: str, coreference: str) -> str:
        return "\t".join(["d_brat", "0", str(number), word, *"________", coreference])

    rows = [line(0, "Ann", "(0)"), line(1, "met", ""), line(2, "Bob", "(1)"), line(3, ".", "_")]
    more = [line(0, "She", "(0)"), line(1, "left", "")]
    lines = ["#begin document (d_brat); part 0", *rows, "", *more, "", "#end document", ""]
    path.write_text("\n".join(lines))
    (document,) = read_conll2012(str(path))
    assert [each.words for each in document.sentences] == [
        ["Ann", "met", "Bob", "."],
        ["She", "left"],
    ]
    assert document.mentions == [Mention(0, 0, "0"), Mention(2, 2, "1"), Mention(4, 4, "0")]
    assert document.sentences[0].heads == [NO_HEAD] * 4
    assert document.sentences[0].xpos == [""] * 4


def test_a_space_in_the_name_of_a_document(path: Path) -> None:
    text = Path(written(path, sentence(ANN, {4: "(0)"}))).read_text()
    path.write_text(text.replace("bc/x/00/x_0000", "Ann (an Example)"))
    (document,) = read_conll2012(str(path))
    assert document.id == "Ann (an Example)_0"
    assert document.sentences[0].words == ["Ann", "'s", "dog", "saw", "her", "."]


def test_a_space_in_a_name_that_is_not_that_of_the_document_is_said(path: Path) -> None:
    text = Path(written(path, sentence(ANN))).read_text()
    path.write_text(text.replace("bc/x/00/x_0000  ", "Ann Example  "))
    with pytest.raises(InputError, match=r":3: the word number is 0, not 1; spaces in the name"):
        list(read_conll2012(str(path)))


def test_a_document_without_its_end_is_refused_where_the_next_begins(path: Path) -> None:
    text = Path(written(path, sentence(ANN))).read_text()
    path.write_text(text.replace("#end document\n", "") + text)
    with pytest.raises(InputError, match=r":9: a document begins before the #end document of bc"):
        list(read_conll2012(str(path)))


def test_brackets_that_cannot_be_read_are_not_blamed_on_another_format(path: Path) -> None:
    with pytest.raises(InputError, match=r":2: coreference 3 has brackets that cannot be read"):
        list(read_conll2012(written(path, [row(0, "w", "NN", coreference="3")])))


def test_a_file_that_is_cut_short_or_empty_is_refused(path: Path) -> None:
    path.write_text("#begin document (a); part 000\n")
    with pytest.raises(InputError, match="cut short"):
        list(read_conll2012(str(path)))
    path.write_text("")
    with pytest.raises(InputError, match="no document"):
        list(read_conll2012(str(path)))


@pytest.mark.parametrize(
    ("label", "children", "head"),
    [
        ("NP", ["DT", "JJ", "NN"], 2),
        ("NP", ["NP", "PP"], 0),
        ("NP", ["NP", ",", "SBAR"], 0),
        ("NP", ["NNP", "POS"], 1),
        ("NP", ["NP", "NN"], 1),
        ("NP", ["NP", "CC", "NP"], 0),
        ("NP", ["NN", "CC", "NN"], 0),
        ("NP-SBJ", ["DT", "CD"], 1),
        ("NP", ["DT", "JJ"], 1),
        ("NX", ["NN", "NN"], 1),
        ("NML", ["NN", "NN"], 1),
        ("NP", ["DT", "NML", "NN"], 2),
        ("NP", ["DT", "NML", ","], 1),
        ("VP", ["MD", "VP"], 0),
        ("VP", ["VBZ", "VP"], 0),
        ("VP", ["TO", "VP"], 0),
        ("VP", ["VP", "CC", "VP"], 0),
        ("S", ["NP", "VP", "."], 1),
        ("S", ["S", ",", "CC", "S"], 0),
        ("SBAR", ["IN", "S"], 0),
        ("SBAR", ["WHNP", "S"], 0),
        ("PP", ["IN", "NP"], 0),
        ("PP", ["ADVP", "IN", "NP"], 1),
        ("QP", ["RB", "CD"], 0),
        ("ADVP", ["RB", "RB"], 1),
        ("ADJP", ["RB", "JJ"], 1),
        ("WHNP", ["WP"], 0),
        ("SINV", ["``", "S", ",", "VP", "NP"], 3),
        ("ZZZ", [",", "XX", "NN"], 1),
    ],
)
def test_head_children(label: str, children: list[str], head: int) -> None:
    whole = Constituent(label, 0, [Constituent(child, n) for n, child in enumerate(children)])
    assert head_child(whole) == head


def test_a_head_word_governs_the_heads_of_the_other_children(path: Path) -> None:
    tree = (
        "(TOP (S (NP (DT the) (NN king) (PP (IN of) (NP (NNP Spain)))) (VP (MD may) (VP (VB go)))))"
    )
    (document,) = read_conll2012(written(path, sentence(tree)))
    assert document.sentences[0].heads == [2, 5, 2, 3, 0, 5]


LABELS = ["S", "NP", "VP", "PP", "SBAR", "QP", "ADJP", "X-SBJ"]
TAGS = ["NN", "NNS", "PRP", "VBD", "IN", "DT", "CC", ",", "JJ", "POS"]
trees = st.recursive(
    st.tuples(st.sampled_from(TAGS), st.just("w")),
    lambda inner: st.tuples(st.sampled_from(LABELS), st.lists(inner, min_size=1, max_size=4)),
    max_leaves=12,
)


def bracketed(tree: Tree) -> str:
    label, inside = tree
    if isinstance(inside, str):
        return f"({label} {inside})"
    return f"({label} {' '.join(map(bracketed, inside))})"


def words_of(tree: Tree) -> list[str]:
    label, inside = tree
    return [label] if isinstance(inside, str) else [w for each in inside for w in words_of(each)]


def by_paths(tree: Tree, first: int = 0) -> tuple[int, dict[int, int]]:
    """The head word of a tree and the head of each other word, by walking down again each time."""
    label, inside = tree
    if isinstance(inside, str):
        return first, {}
    heads: dict[int, int] = {}
    found = []
    for child in inside:
        head, below = by_paths(child, first)
        found.append(head)
        heads |= below
        first += len(words_of(child))
    children = [Constituent(child[0], 0) for child in inside]
    chosen = found[head_child(Constituent(label, 0, children))]
    return chosen, heads | {word: chosen for word in found if word != chosen}


@settings(max_examples=150)
@given(tree=trees)
def test_random_trees_are_read_back(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "random_conll"
    rows = sentence(f"(TOP {bracketed(tree)})")
    (document,) = read_conll2012(written(path, rows))
    root, heads = by_paths(("TOP", [tree]))
    assert document.sentences[0].xpos == words_of(tree)
    expected = [heads[word] + 1 if word != root else 0 for word in range(len(rows))]
    assert document.sentences[0].heads == expected


def test_every_word_but_the_root_has_a_head() -> None:
    leaf = [Constituent(tag, n) for n, tag in enumerate(("NN", "IN", "NN"))]
    tree = Constituent("", 0, [Constituent("NP", 0, [leaf[0], Constituent("PP", 1, leaf[1:])])])
    assert dependency_heads(tree, 3) == [0, 1, 2]


def test_heads_without_relations_are_no_cases_of_syntax(path: Path) -> None:
    (document,) = read_conll2012(written(path, sentence(ANN)))
    segmenter = Segmenter("sentence", LetterPieces(), 64, 64, Units(blocks=False), 0)  # type: ignore[arg-type]
    assert isinstance(document, Document)
    (example,) = examples_of(segmenter, document)
    assert example.heads == [2, 3, 4, 0, 4, 4]
    assert segmenter.counts["dependencies"] == 0
