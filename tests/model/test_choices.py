"""The checkpoints that can be chosen by name: each has its address, and its size in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from attnray.cli.main import configuration_folder

CHOICES = {path.stem: path for path in configuration_folder().glob("model/*.yaml")}
NAMED = sorted(CHOICES.keys() - {"hub"})
#: Those of whose licence or size we are not certain say nothing of it.
NO_LICENCE = {"mpnet-base"}
NO_SIZE = {f"electra-{size}-generator" for size in ("small", "base", "large")}


def read(path: Path) -> dict[str, str]:
    return dict(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("name", NAMED)
def test_a_choice_says_what_it_is_and_where(name: str) -> None:
    assert CHOICES[name].read_text().startswith("# ")
    values = read(CHOICES[name])
    assert values.keys() <= {"name", "hub", "licence", "size", "checksums"}
    assert values["name"] == name
    assert re.fullmatch(r"[\w-]+/[\w.-]+", values["hub"])
    assert values.get("licence") in ((None,) if name in NO_LICENCE else ("Apache 2.0", "MIT"))
    size = values.get("size")
    if name in NO_SIZE:
        assert size is None
    else:
        assert re.fullmatch(r"\d+ layers x \d+ heads, \d+ M parameters", str(size))


def test_no_two_choices_are_one_checkpoint() -> None:
    hubs = [read(CHOICES[name])["hub"] for name in NAMED]
    assert len(set(hubs)) == len(hubs)


def test_every_miniature_of_bert_is_there() -> None:
    for layers in (2, 4, 6, 8, 10, 12):
        for size in (128, 256, 512, 768):
            values, heads = read(CHOICES[f"bert-L{layers}-H{size}"]), size // 64
            assert values["hub"] == f"google/bert_uncased_L-{layers}_H-{size}_A-{heads}"
            assert values["size"].startswith(f"{layers} layers x {heads} heads, ")
    assert len([name for name in NAMED if name.startswith("bert-L")]) == 24


def test_every_seed_of_the_multiberts_is_there() -> None:
    for seed in range(25):
        hub = read(CHOICES[f"multiberts-seed-{seed}"])["hub"]
        assert hub == f"google/multiberts-seed_{seed}"
    assert len([name for name in NAMED if name.startswith("multiberts")]) == 25
