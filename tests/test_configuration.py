"""The configuration: every choice composes, and what is impossible is refused."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from attnray.cli.main import configuration_folder
from attnray.config import (
    CHOICES,
    CORPUS_CHOICES,
    PAPERS,
    PROBES,
    Config,
    ModelConfig,
    RolesConfig,
    check,
    corpora,
    lengths,
    register,
    typed,
)
from attnray.corpus.files.addresses import is_address, name
from attnray.corpus.readers import FORMATS, guess_format
from attnray.corpus.roles import ROLES
from attnray.errors import InputError
from attnray.metrics import registry
from attnray.probe.kinds import NEEDS
from attnray.report.reproduction import NUMBERS
from attnray.store.codecs import CODECS

FOLDER = configuration_folder()
ROLE_PATHS = ["corpora.train.path=y", "corpora.coreference.path=z"]
GIVEN: dict[str, list[str]] = {
    "corpus": ["corpus.path=x"],
    "model": ["model.hub=owner/name"],
    "experiment": ["corpus.path=x", *ROLE_PATHS],
    "store": [],
    "executor": [],
}


def composed(*overrides: str) -> Config:
    register()
    with initialize_config_dir(str(FOLDER), version_base=None):
        return typed(compose("config", overrides=list(overrides)))


#: All others are alike: to compose every one of them would take a minute.
MODELS = ("hub", "minilm", "bert-base-uncased", "multiberts-seed-0")


def choices() -> list[tuple[str, str]]:
    found = [(path.parent.name, path.stem) for path in sorted(FOLDER.glob("*/*.yaml"))]
    return [(group, name) for group, name in found if group != "model" or name in MODELS]


@pytest.mark.parametrize(("group", "name"), choices())
def test_every_choice_composes_and_is_possible(group: str, name: str) -> None:
    given = GIVEN[group] if name not in ("sample", *MODELS[1:]) else []
    check(composed(f"{group}={name}", *given))


def test_the_groups_are_all_there() -> None:
    assert {group for group, _ in choices()} == set(GIVEN)


def test_a_model_named_like_its_file_and_a_store_and_an_executor_too() -> None:
    for path in FOLDER.glob("model/*.yaml"):
        model = OmegaConf.merge(OmegaConf.structured(ModelConfig), OmegaConf.load(path))
        if path.stem != "hub":
            assert model.name == path.stem
    for path in FOLDER.glob("store/*.yaml"):
        assert composed(f"store={path.stem}").store.codec == path.stem
    for path in FOLDER.glob("executor/*.yaml"):
        assert composed(f"executor={path.stem}").executor.name == path.stem


def test_a_well_known_corpus_can_be_a_copy_and_its_checksum_can_be_dropped() -> None:
    pinned = composed("corpus=ewt-dev", "corpus.path=copy.conllu").corpus
    assert (pinned.path, list(pinned.checksums or {})) == ("copy.conllu", ["en_ewt-ud-dev.conllu"])
    assert composed("corpus=ewt-dev", "corpus.checksums=null").corpus.checksums is None


def test_corpora_are_as_their_files_say() -> None:
    for path in FOLDER.glob("corpus/*.yaml"):
        known = composed(f"corpus={path.stem}", "corpus.path=x").corpus
        address = str(yaml.safe_load(path.read_text())["path"])
        assert known.name == path.stem
        if is_address(address):
            assert known.licence or known.name == "sample"
            assert guess_format(address) == known.format
            assert set(known.checksums or {}) <= {name(address)}
        for sha in (known.checksums or {}).values():
            assert re.fullmatch("[0-9a-f]{64}", sha)


def test_what_can_be_chosen_is_what_there_is() -> None:
    assert set(CHOICES["store.codec"]) == set(CODECS)
    assert set(CORPUS_CHOICES["format"]) == set(FORMATS)
    assert {*registry.NAMES, "gap"} == {*registry.METRICS, registry.PROBES}
    assert "gap" not in registry.NAMES
    assert set(PROBES) == set(NEEDS)
    assert set(PAPERS) == set(NUMBERS)
    assert {field.name for field in fields(RolesConfig)} == set(ROLES)
    assert {metric.role for metric in registry.METRICS.values()} <= set(ROLES)


def test_a_role_has_the_main_corpus_unless_it_has_its_own() -> None:
    own = composed("corpus@corpora.syntax=conllu", "corpora.syntax.path=x")
    assert {role: c.name for role, c in corpora(own).items()} == {
        "patterns": "sample", "syntax": "conllu", "coreference": "sample", "dev": "sample"
    }  # fmt: skip


def test_probes_have_a_corpus_to_train_on_only_where_one_is_given() -> None:
    given = composed("corpus@corpora.train=conllu", "corpora.train.path=x")
    assert corpora(given)["train"].path == "x"
    assert "train" not in corpora(composed())


def test_documents_are_cut_to_one_length_or_to_several() -> None:
    assert lengths(composed()) == [128]
    assert lengths(composed("max_tokens=[128,256,512]")) == [128, 256, 512]


def test_a_random_model_has_no_random_twin() -> None:
    with pytest.raises(InputError, match="random_init"):
        check(composed("model.random_init=true", "controls=random"))


@pytest.mark.parametrize(
    "override",
    [
        "store.codec=gzip",
        "merge=median",
        "metrics=[]",
        "metrics=[syntax,syntax]",
        "metrics=[syntax,semantics]",
        "max_tokens=2",
        "reproduce=clark2020",
        "probe.probes=[]",
        "probe.probes=[attention,sight]",
        "probe.seeds=[1,1]",
        "probe.learning_rate=0",
        "permutations=-1",
        "max_tokens=[]",
        "max_tokens=[128,128]",
        "max_tokens=[128,2]",
        "max_tokens=128.5",
        "controls=shuffled",
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
    config = composed(override)
    with pytest.raises(InputError) as refusal:
        (registry.check if key == "metrics" else check)(config)
    assert key in str(refusal.value)
    assert "must be" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_value_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"corpus\.path"):
        composed("corpus=conllu")
