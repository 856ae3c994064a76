"""Corpora as pages name them: with their files, where these say more."""

from __future__ import annotations

import pytest

from attnray.config import Config, CorpusConfig, ModelConfig, RolesConfig
from attnray.corpus.shown import shown


def corpus(name: str, *paths: str) -> CorpusConfig:
    return CorpusConfig(name, "conllu", list(paths))


@pytest.mark.parametrize(
    ("name", "paths", "words"),
    [
        ("conllu", ["data/my-dev.conllu"], "conllu (my-dev.conllu)"),
        ("dev", ["dev.conllu.gz"], "dev"),
        ("conllu", ["s3://b/a.conllu", "c.conllu"], "conllu (a.conllu, c.conllu)"),
        ("conllu", ["a", "b", "c", "d"], "conllu (a and 3 more files)"),
        ("web", ["https://me:key@host/a.conllu?token=b"], "web (a.conllu)"),
    ],
)
def test_files_are_named_where_they_say_more(name: str, paths: list[str], words: str) -> None:
    config = Config(ModelConfig(), corpus(name, *paths))
    assert shown([name], config) == [words]


def test_roles_of_one_name_show_the_files_of_all() -> None:
    roles = RolesConfig(coreference=corpus("conllu", "gold.conllu"))
    config = Config(ModelConfig(), corpus("conllu", "dev.conllu"), corpora=roles)
    assert shown(["conllu"], config) == ["conllu (dev.conllu, gold.conllu)"]
