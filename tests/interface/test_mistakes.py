"""`run.errors`: the cases whose bit says so, and the word with the most attention."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import attnray
from attnray.interface.opened import Run
from tests.builders import oracle
from tests.builders.jobs import read_table

pytestmark = pytest.mark.slow

ASKED = [
    ("obj", "3-1", None),
    ("obj", (3, 1), "head_to_dependent"),
    ("nmod", "2-8", None),  # nmod:poss too
    ("all", "6-12", "dependent_to_head"),
    ("nsubj", None, None),
]


@pytest.mark.parametrize(("item", "head", "direction"), ASKED)
def test_errors_of_syntax(
    run: Run, folder: Path, item: str, head: tuple[int, int] | str | None, direction: str | None
) -> None:
    found = run.errors(item, head, direction)
    wanted = {"relation": item, "layer": found.head.layer, "head": found.head.head}
    rows = [
        row
        for row in read_table(folder, "syntax").to_pylist()
        if wanted.items() <= row.items() and direction in (None, row["direction"])
    ]
    best = max(rows, key=lambda row: row["correct"])
    assert found.direction == best["direction"]
    assert len(found) == best["total"] - best["correct"] > 0
    for mistake in found:
        example = mistake.example
        maps = example.attention(found.head.layer, found.head.head, words=True)
        weights = (maps if found.direction == "dependent_to_head" else maps.T)[mistake.word]
        assert np.array_equal(mistake.weights, weights)
        others = [each for each in range(len(example.words)) if each != mistake.word]
        assert mistake.picked == oracle.most_attended(others, weights.tolist(), mistake.word)
        assert mistake.right == [example.heads[mistake.word] - 1]
        assert mistake.picked not in mistake.right
        assert item in ("all", example.relations[mistake.word].partition(":")[0])


@pytest.mark.parametrize("item", ["pronoun", "all"])
def test_errors_of_coreference_are_in_documents(run: Run, folder: Path, item: str) -> None:
    documents = attnray.open(folder, kind="document")
    found = run.errors(item, "3-5", metric="coreference")
    row = next(
        row
        for row in read_table(folder, "coreference").to_pylist()
        if (row["layer"], row["head"], row["mention_type"]) == (3, 5, item)
    )
    assert found.direction is None
    assert len(found) == row["total"] - row["correct"] > 0
    for mistake in found:
        assert mistake.example.words == documents[mistake.case["example"]].words
        mentions = mistake.example.mentions
        (own,) = (
            mention
            for mention in mentions
            if [mention.start, mention.end, mention.entity]
            == [mistake.case[name] for name in ("start", "end", "entity")]
        )
        earlier = {each.head: each.entity for each in mentions[: mentions.index(own)]}
        among = [word for word in earlier if word != mistake.word]
        weights = mistake.weights.tolist()
        assert mistake.picked == oracle.most_attended(among, weights, mistake.word)
        assert mistake.right == mistake.case["antecedents"]
        assert mistake.picked not in mistake.right


def test_they_are_a_sequence_that_shows_itself(run: Run) -> None:
    found = run.head(3, 1).errors("obj")
    assert found[-1].case == [*found][len(found) - 1].case
    assert [each.case for each in found[2:4]] == [found[2].case, found[3].case]
    assert found.cases["sentence"][0].as_py() == " ".join(found[0].example.words)
    with pytest.raises(IndexError, match="no error 67: there are 67"):
        found[67]
    title, first, *_ = repr(found).splitlines()
    assert title == "67 cases of obj that head 3-1 gets wrong (dependent_to_head)"
    assert first == repr(found[0])
    assert first.startswith("watchman: a (33.5%), not rescued (14.0%) | Fire crews rescued")


def test_without_attention_there_are_still_the_cases(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run.errors("obj", "3-1")
    monkeypatch.setattr(type(found._run), "_sample", {})
    with pytest.raises(attnray.InputError, match="was not kept"):
        found[0].picked  # noqa: B018
    assert repr(found[0]).startswith("watchman: –, not rescued | Fire crews rescued")
