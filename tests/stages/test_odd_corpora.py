"""Corpora that are odd: right numbers, or a word about it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

import attnray
from attnray.config import Config, CorpusConfig, ModelConfig, StoreConfig
from attnray.errors import InputError
from attnray.stages.planned import plan
from attnray.store.run import Run
from tests.builders.jobs import read_table, succeed

Word = tuple[str, str, int, str, str]


def sentence(*words: Word) -> str:
    """Lines of words: form, UPOS, head, features, `Entity=`."""
    lines = []
    for number, (form, upos, head, feats, entity) in enumerate(words, 1):
        misc = f"Entity={entity}" if entity else "_"
        row = (number, form, "_", upos, "_", feats or "_", head, "dep", "_", misc)
        lines.append("\t".join(map(str, row)))
    return "\n".join(lines) + "\n\n"


FEM, MASC, SING = "Gender=Fem|Number=Sing", "Gender=Masc|Number=Sing", "Number=Sing"
STOP = (".", "PUNCT", 2, "", "")
#: As GUM had it up to 2.9: the type first, and closing brackets that have it, the group or both.
TYPE_FIRST = "# global.Entity = entity-GRP-infstat-MIN-coref_type-identity\n"
#: Words count from 0 in their document.
DOCUMENTS = [
    TYPE_FIRST,
    "# newdoc id = a\n",
    # 0 Ann (1), 1 met, 2 Bob (2), 3 .
    sentence(
        ("Ann", "PROPN", 2, FEM, "(person-1-new-1-coref-Ann_A)"),
        ("met", "VERB", 0, "", ""),
        ("Bob", "PROPN", 2, MASC, "(person-2-new-1-coref)"),
        STOP,
    ),
    # 4 She (1): of Ann and Bob the nearest is Bob, and Ann agrees. 5 saw, 6 him (2): of Ann, Bob
    # and She the nearest is She, and Bob agrees. 7 in, 8-10 the old town (3, head 10), 11 .
    sentence(
        ("She", "PRON", 2, "", "(person-1-giv-1-ana)"),
        ("saw", "VERB", 0, "", ""),
        ("him", "PRON", 2, "", "(person-2-giv-1-ana)"),
        ("in", "ADP", 7, "", ""),
        ("the", "DET", 7, "", "(place-3-new-3-coref"),
        ("old", "ADJ", 7, "", ""),
        ("town", "NOUN", 2, SING, "place-3)"),
        STOP,
    ),
    # 12 Bob (2): the nearest is town, the same form and string is Bob. 13 waved, 14 .
    sentence(
        ("Bob", "PROPN", 2, MASC, "(person-2-giv-1-coref)"), ("waved", "VERB", 0, "", ""), STOP
    ),
    # 15 He (2): the nearest is Bob, which agrees. 16 slept, 17 .
    sentence(("He", "PRON", 2, "", "(person-2-giv-1-ana)"), ("slept", "VERB", 0, "", ""), STOP),
    "# newdoc id = b\n",
    # 0-3 The dog of Kim (1, head 1), 3 Kim (2), 4 barked, 5 .
    sentence(
        ("The", "DET", 2, "", "(animal-1-new-2-coref"),
        ("dog", "NOUN", 5, "", ""),
        ("of", "ADP", 4, "", ""),
        ("Kim", "PROPN", 2, FEM, "(person-2-new-1-coref)animal-1)"),
        ("barked", "VERB", 0, "", ""),
        (".", "PUNCT", 5, "", ""),
    ),
    # 6-7 The dog (1, head 7): the nearest is Kim, the same form dog. 8 slept, 9 .
    sentence(
        ("The", "DET", 2, "", "(animal-1-giv-2-coref"),
        ("dog", "NOUN", 3, "", "1)"),
        ("slept", "VERB", 0, "", ""),
        (".", "PUNCT", 3, "", ""),
    ),
    # 10 Kim (2): the nearest is dog, the same form and string Kim. 11 fed, 12 it (1): the nearest
    # is Kim, who is feminine; the dog before agrees. 13 .
    sentence(
        ("Kim", "PROPN", 2, FEM, "(person-2-giv-1-coref)"),
        ("fed", "VERB", 0, "", ""),
        ("it", "PRON", 2, "", "(animal-1-giv-1-ana)"),
        STOP,
    ),
    "# newdoc id = c\n",
    # 0 Rome (1), 0-2 Rome and Paris (3, head 0), 2 Paris (2), 3 grew, 4 .
    sentence(
        ("Rome", "PROPN", 4, SING, "(place-3-new-1-coref(place-1-new-1-coref)"),
        ("and", "CCONJ", 3, "", ""),
        ("Paris", "PROPN", 1, SING, "(place-2-new-1-coref)place-3)"),
        ("grew", "VERB", 0, "", ""),
        (".", "PUNCT", 4, "", ""),
    ),
    # 5 They (3): the nearest is Paris; nothing agrees, so that the nearest is taken again. 6 love,
    # 7 Rome (1): the nearest is They, the same form and string Rome. 8 .
    sentence(
        ("They", "PRON", 2, "", "(place-3-giv-1-ana)"),
        ("love", "VERB", 0, "", ""),
        ("Rome", "PROPN", 2, SING, "(place-1-giv-1-coref)"),
        STOP,
    ),
]
#: Document, head word, mention type, right head words, number of candidates.
ANAPHORS = [
    ("a", 4, "pronoun", [0], 2),
    ("a", 6, "pronoun", [2], 3),
    ("a", 12, "proper", [2, 6], 5),
    ("a", 15, "pronoun", [2, 6, 12], 6),
    ("b", 7, "nominal", [1], 2),
    ("b", 10, "proper", [3], 3),
    ("b", 12, "pronoun", [1, 7], 4),
    ("c", 5, "pronoun", [0], 2),
    ("c", 7, "proper", [0], 3),
]
TOTALS = {"all": 9, "pronoun": 5, "proper": 3, "nominal": 1}
CORRECT = {
    "nearest": {"all": 1, "pronoun": 1, "proper": 0, "nominal": 0},
    "head_match": {"all": 4, "pronoun": 0, "proper": 3, "nominal": 1},
    "sieve": {"all": 8, "pronoun": 4, "proper": 3, "nominal": 1},
}


@pytest.mark.slow
def test_documents_with_types_first_have_the_tables_worked_out_by_hand(
    tiny_model: Path, tmp_path: Path
) -> None:
    corpus, run = tmp_path / "gum.conllu", tmp_path / "run"
    corpus.write_text("".join(DOCUMENTS))
    said = (f"model={tiny_model}", f"corpus={corpus}", "metrics=[coreference]")
    succeed("run", "executor=serial", f"run_dir={run}", *said)
    columns = ("document", "word", "mention_type", "antecedents", "candidates")
    cases = attnray.open(str(run)).cases("coreference").select(columns).to_pylist()
    assert sorted(tuple(case.values()) for case in cases) == ANAPHORS
    found = read_table(run, "coreference_baselines").to_pylist()
    assert {(r["baseline"], r["mention_type"]): (r["correct"], r["total"]) for r in found} == {
        (baseline, kind): (correct[kind], total)
        for baseline, correct in CORRECT.items()
        for kind, total in TOTALS.items()
    }
    heads = read_table(run, "coreference").to_pylist()
    assert {(row["mention_type"], row["total"]) for row in heads} == {*TOTALS.items()}
    counted = {row["item"]: row["count"] for row in read_table(run, "corpus").to_pylist()}
    assert (counted["documents"], counted["mentions"], counted["words"]) == (3, 17, 41)


TREE = sentence(("she", "PRON", 2, "", ""), ("met", "VERB", 0, "", ""), ("him", "PRON", 2, "", ""))


def planned(
    model: Path,
    folder: Path,
    text: str,
    metrics: Sequence[str] = ("syntax",),
    entity: str | None = None,
) -> tuple[Run, dict[str, int]]:
    """A plan over a CoNLL-U corpus with this text, and what its first set counts."""
    path = folder / "odd.conllu"
    path.write_text(text)
    config = Config(
        model=ModelConfig(name=None, path=str(model)),
        corpus=CorpusConfig("odd", "conllu", str(path), entity=entity),
        store=StoreConfig("log16"),
        metrics=[*metrics],
        run_dir=str(folder / "run"),
    )
    config.executor.name = "serial"
    run = plan(config, "cpu")
    return run, run.manifest.sets[0].counts


def test_of_sound_inputs_nothing_is_said(tiny_model: Path, tmp_path: Path) -> None:
    run, counts = planned(tiny_model, tmp_path, TREE * 3)
    assert run.notes == []
    assert counts["unknown_pieces"] == 0
    assert not {item for item in counts if "placeholder" in item or "sentences" in item}
    assert "entity" not in run.manifest.identity["corpora"]["syntax"]


def test_heads_that_are_no_tree_are_counted_and_said(tiny_model: Path, tmp_path: Path) -> None:
    circle = sentence(("a", "X", 2, "", ""), ("b", "X", 1, "", ""), ("c", "X", 0, "", ""))
    roots = sentence(("a", "X", 0, "", ""), ("b", "X", 0, "", ""))
    none = sentence(("a", "X", 2, "", ""), ("b", "X", 3, "", ""), ("c", "X", 1, "", ""))
    run, counts = planned(tiny_model, tmp_path, TREE * 4 + circle + roots + roots + none)
    assert counts["sentences_with_circles"] == 2
    assert counts["sentences_with_several_roots"] == 2
    assert counts["sentences_without_root"] == 1
    assert run.notes == [
        "odd: 2 of 8 sentences have heads in a circle",
        "odd: 2 of 8 sentences have more than one root",
        "odd: 1 of 8 sentences have no root",
    ]


@pytest.mark.slow
def test_what_is_odd_is_said_before_the_work_begins(tiny_model: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "odd.conllu"
    corpus.write_text(TREE + sentence(("a", "X", 0, "", ""), ("b", "X", 0, "", "")))
    said = (f"model={tiny_model}", f"corpus={corpus}", f"run_dir={tmp_path / 'run'}")
    printed = succeed("plan", "executor=serial", "metrics=[syntax]", *said)
    assert "note: odd: 1 of 2 sentences have more than one root" in printed.splitlines()


def test_a_length_over_what_the_model_takes_is_said(tiny_model: Path, tmp_path: Path) -> None:
    said = (f"model.path={tiny_model}", "corpus.limit=2", "metrics=[coreference]")
    for length, notes in ((256, 0), (300, 1)):
        shown = succeed("plan", *said, f"max_tokens={length}", f"run_dir={tmp_path}/{length}")
        assert shown.count(f"max_tokens={length} cuts to 256: tiny takes 256 word pieces") == notes


def test_unknown_pieces_are_counted_and_from_two_in_a_hundred_on_said(
    tiny_model: Path, tmp_path: Path
) -> None:
    unknown = sentence(("北", "X", 0, "", ""))  # as [CLS] [UNK] [SEP]
    sound = sentence(("a", "X", 0, "", ""))
    said = "odd: 3 of 150 word pieces are unknown to the model: does it suit them?"
    for sentences, notes in ((50, [said]), (51, [])):
        folder = tmp_path / str(sentences)
        folder.mkdir()
        text = unknown * 3 + sound * (sentences - 3)
        run, counts = planned(tiny_model, folder, text, ("patterns",))
        assert (counts["unknown_pieces"], counts["pieces"]) == (3, 3 * sentences)
        assert run.notes == notes


def test_words_that_are_placeholders_throughout_a_document_are_refused(
    tiny_model: Path, tmp_path: Path
) -> None:
    for words in ("___", "_*_", ("[WORD]", "_", "*" * 40), ("<unk>", "XX", "[Masked]")):
        rows = sentence(*((word, "X", 0, "", "") for word in words))
        with pytest.raises(InputError, match=r"odd.conllu: .* document d2 .* carries no text"):
            planned(tiny_model, tmp_path, f"# newdoc\n{TREE}# newdoc id = d2\n{rows}")


def test_some_words_that_are_placeholders_are_counted_and_said(
    tiny_model: Path, tmp_path: Path
) -> None:
    some = sentence(("_", "X", 2, "", ""), ("met", "X", 0, "", ""), ("[WORD]", "X", 2, "", ""))
    run, counts = planned(tiny_model, tmp_path, TREE + some + TREE)
    assert counts["placeholders"] == 2
    assert run.notes == ["odd: 2 of 9 words are placeholders such as _ or [WORD]"]


def test_entities_without_groups_are_no_coreference(tiny_model: Path, tmp_path: Path) -> None:
    text = sentence(("Ann", "X", 0, "", "(person-Ann)"), ("she", "X", 1, "", "(person)"))
    header = "# global.Entity = etype-identity\n"
    run, _ = planned(tiny_model, tmp_path, header + text, ("syntax", "coreference"))
    (note,) = run.notes
    assert note.startswith("coreference was left out: ")
    assert "group, eid or GRP" in note


def test_an_order_of_fields_that_is_said_is_another_run(tiny_model: Path, tmp_path: Path) -> None:
    text = sentence(("Ann", "X", 0, "", "(person-1)"), ("Bob", "X", 1, "", "(person-2)"))
    with pytest.raises(InputError, match="say which field of Entity"):
        planned(tiny_model, tmp_path, text, ("coreference",))
    run, counts = planned(tiny_model, tmp_path, text, ("coreference",), "etype-eid")
    assert counts["mentions"] == 2
    (example,) = run.folder.examples(0, run.manifest.examples[0])
    assert [mention.entity for mention in example.mentions] == ["1", "2"]
    assert run.manifest.identity["corpora"]["coreference"]["entity"] == "etype-eid"
    with pytest.raises(InputError, match="entity was etype-eid and is eid"):
        planned(tiny_model, tmp_path, text, ("coreference",), "eid")


def test_a_tokenizer_that_does_not_suit_its_vocabulary_is_said(
    tiny_model: Path, tmp_path: Path
) -> None:
    cased = Path(shutil.copytree(tiny_model, tmp_path / "cased"))
    (cased / "tokenizer.json").unlink()
    lines = (tiny_model / "vocab.txt").read_text().split("\n")
    names = [line.title() if line.isalpha() and len(line) > 1 else line for line in lines]
    (cased / "vocab.txt").write_text("\n".join(names))
    (cased / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    run, _ = planned(cased, tmp_path, TREE)
    said = "puts words in lower case, but its vocabulary tells upper from lower case"
    assert run.notes == [f"the tokenizer of cased {said}"]
