"""The configuration: every choice composes, and what is impossible is refused."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from attnray.cli.choices import choices, configuration_folder, models, register_models
from attnray.config import (
    CHOICES,
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
from attnray.corpus.readers import guess_format
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
    register_models()
    with initialize_config_dir(str(FOLDER), version_base=None):
        return typed(compose("config", overrides=list(overrides)))


#: The models of the table are alike, and to compose a whole run of each would take half a minute.
ALIKE = models().keys() - {"bert-base-uncased", "multiberts-seed-0"}
ALL = [(group, name) for group in GIVEN for name in choices(group) if name not in ALIKE]


@pytest.mark.parametrize(("group", "name"), ALL)
def test_every_choice_composes_and_is_possible(group: str, name: str) -> None:
    given = [] if name in ("sample", "minilm", *models()) else GIVEN[group]
    check(composed(f"{group}={name}", *given))


def test_the_groups_are_all_there() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/*.yaml")} == set(GIVEN)


def test_every_model_composes_as_its_row_or_its_file_says() -> None:
    register_models()
    named = choices("model")
    with initialize_config_dir(str(FOLDER), version_base=None):
        each = compose(overrides=[f"+model@{name}={name}" for name in named])
    assert OmegaConf.to_container(each) == named
    for choice in named.keys() - {"hub"}:
        assert OmegaConf.merge(OmegaConf.structured(ModelConfig), each[choice]).name == choice


def test_a_store_and_an_executor_are_named_like_their_files() -> None:
    for choice in choices("store"):
        assert composed(f"store={choice}").store.codec == choice
    for choice in choices("executor"):
        assert composed(f"executor={choice}").executor.name == choice


def test_a_well_known_corpus_can_be_a_copy_and_its_checksum_can_be_dropped() -> None:
    pinned = composed("corpus=ewt-dev", "corpus.path=copy.conllu").corpus
    assert (pinned.path, list(pinned.checksums or {})) == ("copy.conllu", ["en_ewt-ud-dev.conllu"])
    assert composed("corpus=ewt-dev", "corpus.checksums=null").corpus.checksums is None


@pytest.mark.slow
def test_corpora_are_as_their_files_say() -> None:
    for choice, settings in choices("corpus").items():
        known = composed(f"corpus={choice}", "corpus.path=x").corpus
        address = str(settings["path"])
        assert known.name == choice
        if is_address(address):
            assert known.licence or known.name == "sample"
            assert guess_format(address) == known.format
            assert set(known.checksums or {}) <= {name(address)}
        for sha in (known.checksums or {}).values():
            assert re.fullmatch("[0-9a-f]{64}", sha)


def test_what_can_be_chosen_is_what_there_is() -> None:
    assert set(CHOICES["store.codec"]) == {*CODECS, "none"}
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
        "store.sample=-1",
        "analysis=later",
        "divergence.examples=0",
        "divergence.examples=some",
        "divergence.examples=0.5",
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
        "corpus.entity=etype-identity",
        "corpus.path=[]",
        "executor.extractors=0",
        "executor.gpus_per_extractor=-1",
        "executor.threads_per_extractor=0",
        "batch.tokens=0",
        "seed=-1",
        "seed=4294967296",
        "max_tokens=1" + "0" * 30,
        "corpus.limit=1" + "0" * 30,
        "shard.cells=1" + "0" * 30,
        "executor.cpus_per_extractor=inf",
        "executor.cpus_per_extractor=nan",
        "divergence.examples=1" + "0" * 30,
        "probe.seeds=[1" + "0" * 30 + "]",
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
