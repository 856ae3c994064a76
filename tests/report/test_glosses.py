"""Relations in words: known ones, subtypes, and labels of no known kind."""

from __future__ import annotations

from importlib.resources import files

import pytest

from attnray.report import glosses


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("obj", "direct object"),
        ("dobj", "direct object"),
        ("nmod:poss", "possessor"),
        ("nsubj:outer", "subject"),
        ("all_but_punct", "all but punctuation"),
        ("my-label", ""),
        ("", ""),
    ],
)
def test_relations_in_words(label: str, words: str) -> None:
    assert glosses.relation(label) == words


def test_every_relation_of_the_sample_is_known() -> None:
    lines = (files("attnray.corpus") / "sample.conllu").read_text("utf-8").splitlines()
    found = {line.split("\t")[7] for line in lines if line[:1].isdigit()}
    assert not [each for each in found - {"_"} if not glosses.relation(each)]
