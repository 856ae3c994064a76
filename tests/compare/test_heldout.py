"""Items of held-out scores: whatever one model leaves out or cuts, the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attnray.compare.heldout import ByRow, heldout
from attnray.config import Config
from attnray.corpus.document import Document, Mention, Sentence
from attnray.corpus.example import Antecedent, Example
from attnray.errors import InputError
from attnray.metrics.base import Predictor
from attnray.metrics.coreference import Coreference
from attnray.metrics.gap import Gap
from attnray.metrics.predictions import bits
from attnray.metrics.syntax import Syntax
from tests.builders.found import found_run
from tests.builders.random_maps import Attended, attended, found_in, segmented

SYNTAX = Syntax("mean", "universal")


def sentence(document: str, words: str, unit: int, index: int = 0) -> Example:
    """A sentence whose words all hang on the first, as the object."""
    split = words.split()
    made = Sentence("", split, [""] * len(split), [""] * len(split), [], [], [""] * len(split))
    heads, relations = [0] + [1] * (len(split) - 1), ["root"] + ["obj"] * (len(split) - 1)
    (example,) = segmented(
        [Document(document, [replace(made, heads=heads, relations=relations)], [])], "sentence"
    )
    return replace(example, unit=unit, fold=unit % 5, index=index)


def numbered(examples: Sequence[Example]) -> list[Example]:
    return [replace(example, index=index) for index, example in enumerate(examples)]


def items(metric: Predictor, examples: Sequence[Example], seed: int = 0) -> list[int]:
    """The item of each case of some examples."""
    cases = found_in(metric, attended(examples, seed)).cases
    assert cases is not None
    return metric.items(cases, {example.index: example.words for example in examples})


def test_a_sentence_left_out_changes_no_other_item() -> None:
    long = sentence("a", "A long one .", 7)
    others = [sentence("a", "Yes .", 7), sentence("b", "Yes .", 8), sentence("b", "No .", 9)]
    whole = items(SYNTAX, numbered([long, *others]))
    assert len(whole) == 3 + 3
    assert len(set(whole)) == 4
    assert items(SYNTAX, numbered(others)) == whole[3:]


def test_the_same_sentence_again_is_one_item() -> None:
    twice = numbered([sentence("a", "Yes .", 7), sentence("a", "Yes .", 8)])
    one, other = items(SYNTAX, twice)
    assert one == other


MENTIONS = [
    Antecedent(start, end, end, entity, "nominal", 3 + start // 2, 0)
    for start, end, entity in ((0, 0, "e"), (1, 1, "f"), (2, 2, "e"), (3, 4, "f"), (3, 4, "e"))
]


@pytest.mark.parametrize("candidates", ["mentions", "words"])
def test_a_document_cut_earlier_keeps_the_items_of_its_mentions(candidates: str) -> None:
    whole = replace(sentence("a", "Ann saw a dog bark", 3), mentions=MENTIONS)
    cut = replace(sentence("a", "Ann saw a", 3), mentions=MENTIONS[:3])
    metric = Coreference(512, "mean", candidates)
    found, shorter = items(metric, [whole]), items(metric, [cut])
    # Of one span there are two mentions, each of an entity of its own.
    assert len(set(found)) == 3
    assert shorter == found[:1]


def test_a_passage_is_known_by_its_pronoun() -> None:
    spans = [Mention(0, 0, "e"), Mention(1, 1, "f"), Mention(2, 2, "e")]
    upos = ["PROPN", "PROPN", "PRON"]
    made = Sentence("", ["Ann", "Bo", "she"], upos, [""] * 3, [-1] * 3, [""] * 3, [""] * 3)
    documents = [Document(name, [made], spans) for name in ("a", "b")]
    one, other = items(Gap(512, "mean"), segmented(documents, "document"))
    assert one != other
    alone = items(Gap(96, "max"), segmented(documents[1:], "document"), seed=1)
    assert alone == [other]


# Held-out scores


def held(path: Path, examples: Sequence[Example], config: Config, cut: int = 1) -> ByRow:
    shards: list[list[Attended]] = [[] for _ in range(cut)]
    for example, maps in attended(numbered(examples), 3):
        shards[example.unit % cut].append((example, maps))
    return heldout(found_run(path, "syntax", shards, config), "syntax")


def many(units: int) -> list[Example]:
    """Sentences of some units, two of each."""
    forms = ("a b .", "bb a a", "b ab", "ab b a .")
    return [
        sentence(f"d{unit}", f"{forms[(unit + n) % 4]} {'a' * (unit + 1)}", unit)
        for unit in range(units)
        for n in range(2)
    ]


def test_a_sentence_left_out_leaves_the_scores_of_the_others_in_place(tmp_path: Path) -> None:
    examples = many(8)
    whole = held(tmp_path / "whole", examples, Config(), cut=2)[None, "all"]
    less = held(tmp_path / "less", examples[1:], Config(), cut=3)[None, "all"]
    assert len(whole.items) == len(examples)
    lost = set(whole.items.tolist()) - set(less.items.tolist())
    assert len(lost) == 1
    kept = np.isin(whole.items, less.items)
    assert whole.items[kept].tolist() == less.items.tolist()
    assert whole.units[kept].tolist() == less.units.tolist()
    assert whole.totals[kept].tolist() == less.totals.tolist()


def test_a_sentence_that_is_there_twice_is_scored_together_in_the_first_unit(
    tmp_path: Path,
) -> None:
    examples = many(6)
    again = replace(examples[0], unit=5, fold=0)
    found = held(tmp_path, [*examples, again], Config())[None, "all"]
    assert len(found.items) == len(examples)
    (item,) = np.unique(items(SYNTAX, examples[:1]))
    (place,) = np.flatnonzero(found.items == item)
    assert found.units[place] == examples[0].unit
    assert found.totals[place] == 2 * (len(examples[0].words) - 1)


def test_each_case_is_scored_by_the_pick_of_its_fold(tmp_path: Path) -> None:
    examples = attended(numbered(many(7)), 3)
    run = found_run(tmp_path, "syntax", [examples], Config())
    cases = run.folder.cases("syntax", 0)
    right = np.stack([bits(cases, candidate) for candidate in range(2 * 2 * 2)], axis=1)
    fold, expected = cases["fold"].to_numpy(), 0
    for each in range(5):
        pick = right[fold != each].sum(0).argmax()
        expected += right[fold == each, pick].sum()
    found = heldout(run, "syntax")
    assert found[None, "all"].correct.sum() == expected
    assert found[None, "all"].totals.sum() == len(cases)
    assert found.keys() == {(None, row) for row in ("all", "all_but_punct", "obj")}


def test_with_too_few_units_nothing_is_held_out(tmp_path: Path) -> None:
    assert held(tmp_path / "few", many(4), Config()) == {}
    assert held(tmp_path / "enough", many(5), Config()) != {}


def test_a_run_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="start it again with cases=true"):
        held(tmp_path, many(5), Config(cases=False))


def test_a_shard_without_a_case_adds_nothing(tmp_path: Path) -> None:
    without = [replace(sentence(f"e{unit}", "a", unit), relations=[""]) for unit in (7, 8)]
    whole = held(tmp_path / "whole", [*many(7), *without], Config(), cut=9)
    for row, expected in held(tmp_path / "less", many(7), Config()).items():
        assert whole[row].items.tolist() == expected.items.tolist()
        assert whole[row].correct.tolist() == expected.correct.tolist()
