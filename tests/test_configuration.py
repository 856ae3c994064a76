"""The configuration: every choice composes, and what is impossible is refused."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hydra import compose, initialize_config_dir

from attnray.config import CHOICES, METRICS, Config, RolesConfig, check, corpora, register, typed
from attnray.errors import InputError
from attnray.metrics import registry
from attnray.pipeline.cli import configuration_folder
from attnray.store.codecs import CODECS

FOLDER = configuration_folder()
GIVEN = {"corpus": ["corpus.path=x"], "model": ["model.hub=owner/name"]}


def composed(*overrides: str) -> Config:
    register()
    with initialize_config_dir(str(FOLDER), version_base=None):
        return typed(compose("config", overrides=list(overrides)))


def choices() -> list[tuple[str, str]]:
    return [(path.parent.name, path.stem) for path in sorted(FOLDER.glob("*/*.yaml"))]


@pytest.mark.parametrize(("group", "name"), choices())
def test_every_choice_composes_and_is_possible(group: str, name: str) -> None:
    needs_more = name in ("conllu", "text", "hub")
    config = composed(f"{group}={name}", *(GIVEN[group] if needs_more else []))
    check(config)


def test_the_groups_are_all_there() -> None:
    assert {group for group, _ in choices()} == {"corpus", "executor", "model", "store"}


def test_a_model_named_like_its_file_and_a_store_and_an_executor_too() -> None:
    for path in FOLDER.glob("model/*.yaml"):
        if path.stem != "hub":
            assert composed(f"model={path.stem}").model.name == path.stem
    for path in FOLDER.glob("store/*.yaml"):
        assert composed(f"store={path.stem}").store.codec == path.stem
    for path in FOLDER.glob("executor/*.yaml"):
        assert composed(f"executor={path.stem}").executor.name == path.stem


def test_what_can_be_chosen_is_what_there_is() -> None:
    assert set(CHOICES["store.codec"]) == set(CODECS)
    assert set(METRICS) == set(registry.METRICS)
    assert {field.name for field in fields(RolesConfig)} == set(METRICS)


def test_a_role_has_the_main_corpus_unless_it_has_its_own() -> None:
    own = composed("corpus@corpora.syntax=conllu", "corpora.syntax.path=x")
    assert {role: c.name for role, c in corpora(own).items()} == {
        "patterns": "sample", "syntax": "conllu", "coreference": "sample"
    }  # fmt: skip


@pytest.mark.parametrize(
    "override",
    [
        "store.codec=gzip",
        "merge=median",
        "metrics=[]",
        "metrics=[syntax,syntax]",
        "metrics=[syntax,semantics]",
        "max_tokens=2",
        "corpus.limit=0",
        "corpus.segment=word",
        "corpus.path=[]",
        "executor.extractors=0",
        "executor.gpus_per_extractor=-1",
        "executor.threads_per_extractor=0",
        "batch.tokens=0",
        "seed=-1",
    ],
)
def test_an_impossible_value_is_refused_by_name(override: str) -> None:
    key = override.partition("=")[0]
    with pytest.raises(InputError) as refusal:
        check(composed(override))
    assert key in str(refusal.value)
    assert "must be" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_value_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"corpus\.path"):
        composed("corpus=conllu")
