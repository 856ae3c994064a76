"""Whether a run fits on the disk: what is left of it is counted, and what to do is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attnray.compare.subjects import opened
from attnray.errors import InputError
from attnray.stages.room import bytes_needed, check_room, found_bytes
from attnray.store.codecs import CODECS
from attnray.store.folder import RunFolder
from attnray.store.media.local import LocalMedium
from attnray.store.run import Run

pytestmark = pytest.mark.slow

Free = Callable[[int], None]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    """Makes so many bytes free on every disk."""

    def make(count: int) -> None:
        monkeypatch.setattr(LocalMedium, "disk", lambda _: (1, count))

    return make


def whole(folder: Path) -> Run:
    (subject,) = opened([RunFolder(folder)])
    return subject.run


def begun(copied: Path) -> Run:
    """A run of which one shard is done."""
    for path in (copied / "done").glob("*/*.json"):
        if path.name != "00000.json":
            path.unlink()
    return whole(copied)


def stored_as(run: Run, **settings: Any) -> Run:
    config = run.config
    return replace(run, config=replace(config, store=replace(config.store, **settings)))


def attention(run: Run, *shards: int) -> float:
    """The bytes of the attention of shards, example by example."""
    layers, heads = run.manifest.heads
    examples = (e for n in shards for e in run.folder.examples(*run.manifest.shard(n)))
    return sum(e.length**2 for e in examples) * layers * heads * CODECS["log16"].bytes_a_weight


def test_every_weight_is_counted(undisturbed: Path) -> None:
    run = whole(undisturbed)
    expected = attention(run, *range(len(run.manifest.examples)))
    needed = bytes_needed(run)
    found = bytes_needed(stored_as(run, codec="none", sample=0))
    assert needed - found == pytest.approx(expected, abs=2)
    written = sum(path.stat().st_size for path in (undisturbed / "partials").rglob("*.parquet"))
    cases = sum(path.stat().st_size for path in (undisturbed / "cases").rglob("*.parquet"))
    assert (written + cases) / 4 < found < 4 * (written + cases)


def test_only_what_is_left_is_counted(copied: Path, free: Free) -> None:
    assert bytes_needed(whole(copied), left=True) == 0
    run = begun(copied)
    done = bytes_needed(run) - bytes_needed(run, left=True)
    assert done > attention(run, 0) > 0
    free(bytes_needed(run, left=True))
    check_room([run])
    with pytest.raises(InputError):
        check_room([run, replace(run, folder=RunFolder(copied / "other"))])


@pytest.mark.parametrize("name", ["patterns", "syntax", "coreference"])
def test_what_is_left_of_one_metric_is_that_alone(copied: Path, name: str) -> None:
    for path in (copied / f"done/analyse-{name}").iterdir():
        path.unlink()
    run = whole(copied)
    others = [each for each in run.metrics if each != name]
    without = replace(run, config=replace(run.config, metrics=others))
    assert found_bytes(run, left=True) == pytest.approx(
        found_bytes(run) - found_bytes(without), abs=2
    )


def test_what_does_not_fit_is_refused_with_what_to_do(copied: Path, free: Free) -> None:
    run = begun(copied)
    free(1000)
    with pytest.raises(InputError) as refused:
        check_room([run])
    said = str(refused.value)
    assert said.startswith(f"{copied}: the disk has 1.0 kB free, but the run will take about ")
    for remedy in (
        "store=none",
        "store=compact",
        "store.keep=false",
        "run_dir=",
        "check_disk=false",
    ):
        assert remedy in said
    with pytest.raises(InputError) as refused:
        check_room([stored_as(run, codec="compact", keep=False)])
    assert "store=compact" not in str(refused.value)
    assert "store.keep=false" not in str(refused.value)
    check_room([replace(run, config=replace(run.config, check_disk=False))])


def test_attention_that_goes_takes_no_more_than_that_of_a_few_shards(
    undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    run = whole(undisturbed)
    passing = bytes_needed(stored_as(run, keep=False))
    found = bytes_needed(stored_as(run, codec="none", sample=0))
    longest = sorted(attention(run, shard) for shard in range(len(run.manifest.examples)))
    assert passing - found == pytest.approx(sum(longest[-4:]), abs=2)
