"""The manifest: frozen as it was planned, however its lists are held."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from attnray.errors import InputError
from attnray.store.files import Checksum
from attnray.store.folder import RunFolder
from attnray.store.manifest import Checksums, ExampleSet, Manifest, refuse_other, with_sets
from attnray.store.media.local import LocalMedium

SUMS = [Checksum.of(bytes([number] * number)) for number in range(7)]


def example_set(key: str, shards: list[int]) -> ExampleSet:
    sizes = [100 + shard for shard in shards]
    cells = [2**33 + shard for shard in shards]
    counts = {"examples": sum(sizes)}
    return ExampleSet(key, "made", "sentence", None, shards, sizes, sizes, cells, counts, 2.5)


def manifest() -> Manifest:
    sets = [example_set("a", [0, 1, 2]), example_set("b", [4, 5])]
    config, roles = {"store": {"sample": 64}}, {"syntax": ["a"], "coreference": ["b"]}
    identity = {key: key for key in ("model", "device", "threads", "store", "versions")}
    return Manifest(identity, config, sets, roles, SUMS[:6], (2, 3), 24, {}, {"a": 3})


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder, written = RunFolder(tmp_path), manifest()
    written.write(folder)
    assert Manifest.read(folder) == written
    content = json.loads((tmp_path / "manifest.json").read_text())
    assert content["examples"] == [[*each] for each in SUMS[:6]]
    assert content["sets"][1]["shards"] == [4, 5]
    assert content["sets"][1]["sizes"] == [104, 105]
    assert content["sets"][1]["cells"] == [2**33 + 4, 2**33 + 5]


def test_a_set_grows_and_shards_need_not_follow_one_another() -> None:
    more = with_sets(manifest(), "dev", [example_set("c", [6])], SUMS[6:])
    assert [*more.examples] == SUMS
    assert more.roles["dev"] == ["c"]
    assert [*example_set("d", [1, 3, 2]).shards] == [1, 3, 2]


def test_checksums_are_held_as_bytes() -> None:
    held = Checksums(SUMS)
    assert [*held] == SUMS
    assert (len(held), held[-1], held[2:4], held[::-3]) == (7, SUMS[6], SUMS[2:4], SUMS[::-3])
    assert held == Checksums(SUMS) != Checksums(SUMS[1:])
    assert SUMS[3] in held
    with pytest.raises(IndexError):
        held[7]


def test_a_shard_more_takes_few_bytes() -> None:
    few, many = (
        sum(map(sys.getsizeof, (found._bytes, each.shards, each.sizes, each.tokens, each.cells)))
        for count in (1000, 3000)
        for found in [Checksums(SUMS[:1] * count)]
        for each in [example_set("a", [*range(count)])]
    )
    assert many - few <= 2000 * 68


def corpus(name: str, sha256: str) -> dict[str, object]:
    return {"name": name, "limit": None, "sha256": sha256}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"seed": 1}, "seed was 0 and is 1"),
        ({"model": {"name": "a", "files": {"w.bin": "b" * 64}}}, "the files of model are others"),
        (
            {"model": {"name": "b", "files": {"v.bin": "b" * 64}}},
            "model.name was a and is b",
        ),
        (
            {"corpora": {role: corpus("b", "b" * 64) for role in ("dev", "syntax")}},
            "corpus.name was a and is b",
        ),
        (
            {"corpora": {"dev": corpus("a", "a" * 64), "syntax": corpus("a", "b" * 64)}},
            "the files of corpora.syntax are others",
        ),
        (
            {"corpora": {role: corpus("a", "b" * 64) for role in ("dev", "syntax")}},
            "the files of corpus are others",
        ),
    ],
)
def test_another_run_is_told_by_its_settings(now: dict[str, object], said: str) -> None:
    planned = {
        "model": {"name": "a", "files": {"w.bin": "a" * 64}},
        "corpora": {role: corpus("a", "a" * 64) for role in ("dev", "syntax")},
        "seed": 0,
    }
    with pytest.raises(InputError) as refused:
        refuse_other(RunFolder("runs/x"), planned, planned | now)
    assert str(refused.value).startswith(
        f"runs/x holds another run: {said}. Choose another run_dir"
    )


def test_a_plan_that_is_frozen_needs_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, frozen = RunFolder(tmp_path), manifest()
    frozen.write(folder)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(LocalMedium, "write", refuse)
    frozen.write(folder)
    replace(frozen, config={"executor": "another"}).write(folder)
    with pytest.raises(PermissionError):
        replace(frozen, samples={}).write(folder)
    assert Manifest.read(folder) == frozen
