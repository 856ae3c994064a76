"""The store of a run fails now and then, or altogether, and the same command goes on."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from attnray.store.media import bucket
from attnray.store.media.objects import ObjectMedium
from tests.builders.faulty import FAULTS, RARELY_SILENT, Faulty
from tests.builders.jobs import start, succeed
from tests.builders.object_store import check_same
from tests.builders.trial import chosen, ended, wait_until

SEEDS = range(10)
#: So many of all requests fail, on a bad way.
SHARE = 0.08
#: A run has more markers than these, at any of which the driver is killed or the store goes down.
MARKERS = 20


@pytest.fixture(autouse=True)
def _free_way(way: Faulty) -> Iterator[None]:
    way.asked.clear()
    way.met.clear()
    yield
    way.share = 0.0


def markers(way: Faulty) -> int:
    """How many markers were written this way."""
    return sum(each.startswith("PUT") and "/done/" in each for each in way.asked)


@pytest.mark.parametrize("seed", chosen(SEEDS, 1))
def test_a_bad_way_and_a_killed_driver(
    seed: int,
    way: Faulty,
    few: Path,
    few_settings: tuple[str, ...],
    variables: dict[str, str],
) -> None:
    address = f"s3://bucket/bad-way/{seed}"
    settings = ("run", "executor=serial", f"run_dir={address}", *few_settings)
    way.draws, way.share, way.faults = random.Random(seed), SHARE, RARELY_SILENT
    job, moment = start(*settings, variables=variables), random.Random(seed).randint(1, MARKERS)
    wait_until(lambda: markers(way) >= moment or job.poll() is not None)
    job.send_signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    folder = ObjectMedium(address)
    done = {name: folder.read(name) for name in folder.sizes("done")}
    way.asked.clear()
    succeed(*settings, variables=variables)
    written = {
        each.split()[1].partition(f"/bad-way/{seed}/")[2] for each in way.asked if "PUT" in each
    }
    assert way.met.keys() >= set(FAULTS[:-1])
    way.share = 0.0
    assert not done.keys() & written, "what was done is not done again"
    check_same(address, few)


@pytest.mark.parametrize(
    ("seed", "executor"), chosen([(s, e) for s in SEEDS for e in ("serial", "ray")], 0)
)
def test_a_store_that_is_down_for_a_while(
    seed: int,
    executor: str,
    way: Faulty,
    few: Path,
    few_settings: tuple[str, ...],
    variables: dict[str, str],
) -> None:
    address = f"gs://bucket/down/{executor}-{seed}"
    settings = ("run", f"executor={executor}", f"run_dir={address}", *few_settings)
    draws = random.Random(seed)
    moment, way.faults = draws.randint(1, MARKERS), (draws.choice(["busy", "silent", "broken"]),)
    with TemporaryFile() as said:
        hasty = variables | {bucket.PATIENCE: "4"}
        job = start(*settings, variables=hasty, write=(said, said))
        wait_until(lambda: markers(way) >= moment or job.poll() is not None)
        way.share = 1.0
        assert ended(job) == 1
        way.share = 0.0
        said.seek(0)
        text = said.read().decode()
    (line,) = [line for line in text.splitlines() if line.startswith("attnray: ")]
    assert f"{address}/" in line
    assert "the store cannot be reached" in line
    assert "Traceback" not in text
    succeed(*settings, variables=variables)
    check_same(address, few)
