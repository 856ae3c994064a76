"""The checkpoints that can be chosen by name: each has its address, and its size in words."""

from __future__ import annotations

import csv
import re

import pytest

from attnray.cli.choices import choices, configuration_folder

CHOICES = choices("model")
NAMED = sorted(CHOICES.keys() - {"hub"})
#: Those of whose licence or size we are not certain say nothing of it.
NO_LICENCE = {"mpnet-base"}
NO_SIZE = {f"electra-{size}-generator" for size in ("small", "base", "large")}


@pytest.mark.parametrize("name", NAMED)
def test_a_choice_says_what_it_is_and_where(name: str) -> None:
    values = CHOICES[name]
    assert values.keys() <= {"name", "hub", "licence", "size", "checksums"}
    assert values["name"] == name
    assert re.fullmatch(r"[\w-]+/[\w.-]+", values["hub"])
    assert values.get("licence") in ((None,) if name in NO_LICENCE else ("Apache 2.0", "MIT"))
    size = values.get("size")
    if name in NO_SIZE:
        assert size is None
    else:
        assert re.fullmatch(r"\d+ layers x \d+ heads, \d+ M parameters", str(size))


def test_the_table_says_everything_of_each_once_and_is_sorted() -> None:
    with (configuration_folder() / "models.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert all(row["about"].endswith(".") for row in rows)
    names = [row["name"] for row in rows]
    assert names == sorted(set(names), key=_by_number)
    assert not set(names) & {path.stem for path in configuration_folder().glob("model/*.yaml")}


def _by_number(name: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def test_no_two_choices_are_one_checkpoint() -> None:
    hubs = [CHOICES[name]["hub"] for name in NAMED]
    assert len(set(hubs)) == len(hubs)


def test_every_miniature_of_bert_is_there() -> None:
    for layers in (2, 4, 6, 8, 10, 12):
        for size in (128, 256, 512, 768):
            values, heads = CHOICES[f"bert-L{layers}-H{size}"], size // 64
            assert values["hub"] == f"google/bert_uncased_L-{layers}_H-{size}_A-{heads}"
            assert values["size"].startswith(f"{layers} layers x {heads} heads, ")
    assert len([name for name in NAMED if name.startswith("bert-L")]) == 24


def test_every_seed_of_the_multiberts_is_there() -> None:
    for seed in range(25):
        hub = CHOICES[f"multiberts-seed-{seed}"]["hub"]
        assert hub == f"google/multiberts-seed_{seed}"
    assert len([name for name in NAMED if name.startswith("multiberts")]) == 25
