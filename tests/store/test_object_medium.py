"""Files on an object store: as on a local disk, also where the way to it fails now and then."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from attnray.errors import IncompleteRun, InputError, StoreUnreachable
from attnray.store.media import bucket, lease, objects
from attnray.store.media.objects import LOCK, ObjectMedium
from tests.builders.faulty import FAULTS, RARELY_SILENT, Faulty
from tests.builders.medium_tests import MediumTests
from tests.builders.trial import wait_until


@pytest.fixture(params=["s3", "gs"])
def medium(
    request: pytest.FixtureRequest, way: Faulty, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ObjectMedium]:
    """An empty run folder."""
    monkeypatch.setattr(objects, "CHUNK", 2**16)
    yield ObjectMedium(f"{request.param}://bucket/{tmp_path.name}/{request.param} é")
    way.share = 0.0


class TestObjects(MediumTests):
    """What holds of everything that run folders lie on."""


def test_a_large_file_is_copied_in_parts(medium: ObjectMedium, way: Faulty) -> None:
    content = random.Random(0).randbytes(7 * 2**20)
    with medium.making("big") as path:
        path.write_bytes(content)
    way.asked.clear()
    assert medium.local("big").read_bytes() == content
    assert len(way.asked) > 100
    assert medium.read("big") == content


def test_a_copy_goes_with_its_path(medium: ObjectMedium) -> None:
    medium.write("folder/a", b"1")
    medium.write("folder/b/c", b"2")
    copy = medium.local("folder")
    assert medium.local("folder/b/c") == copy / "b" / "c", "it is copied once"
    folder = copy.parent
    del copy
    assert not folder.exists()


def test_a_snapshot_asks_about_many_files_at_once(medium: ObjectMedium, way: Faulty) -> None:
    markers = [f"done/extract/{number:05}.json" for number in range(20)]
    for name in (*markers, "attention/0/a", "attention/0/b", "attention/01"):
        medium.write(name, name.encode())
    found = medium.snapshot()
    way.asked.clear()
    assert [found.read(name) for name in reversed(markers)] == [*map(str.encode, markers[::-1])]
    assert found.size("attention/0/a") == 13
    assert found.size("attention/0") is None
    assert len(way.asked) == 22
    medium.write("done/extract/00020.json", b"written later")
    with pytest.raises(FileNotFoundError):
        found.read("done/extract/00020.json")
    found.remove("attention/0")
    assert found.size("attention/0/b") is None
    assert found.size("attention/01") == medium.size("attention/01") == 12
    assert medium.sizes("attention").keys() == {"attention/01"}
    assert found.read(markers[0]) == markers[0].encode(), "read once more"


def test_a_way_that_fails_now_and_then_changes_nothing(
    medium: ObjectMedium, way: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(bucket.PATIENCE, "24")
    way.share, way.faults = 0.2, RARELY_SILENT
    way.met.clear()
    draws = random.Random(0)
    files = {f"files/{n}": draws.randbytes(draws.choice([0, 100, 200_000])) for n in range(8)}
    for name, content in files.items():
        medium.write(name, content)
        assert medium.read(name) == content
    with medium.making("big") as path:
        path.write_bytes(content := draws.randbytes(6 * 2**20))
    assert medium.local("big").read_bytes() == content
    copy = medium.local("files")
    assert {f"files/{each.name}": each.read_bytes() for each in copy.iterdir()} == files
    medium.remove("files")
    assert medium.sizes("") == {"big": len(content)}
    with medium.hold():
        pass
    assert medium.sizes("") == {"big": len(content)}
    assert way.met.keys() >= set(FAULTS[:-1])


@pytest.mark.parametrize("fault", ["busy", "silent"])
def test_a_way_that_always_fails_is_told_of(
    fault: str, medium: ObjectMedium, way: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(bucket.PATIENCE, "1.5")
    way.share, way.faults = 1.0, (fault,)
    with pytest.raises(StoreUnreachable, match="a/b: the store cannot be reached") as told:
        medium.read("a/b")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        ("denied", "no permission; set .* to what has it"),
        ("no bucket", "there is no such bucket; make it first"),
        ("wrong", "the store refuses this .*status code: 400"),
    ],
)
def test_what_a_store_refuses_is_told_of_at_once(
    answered: str, told: str, medium: ObjectMedium, way: Faulty
) -> None:
    way.share, way.faults = 1.0, (answered,)
    way.asked.clear()
    with pytest.raises(InputError, match=f"a/b: {told}") as error:
        medium.write("a/b", b"")
    assert "\n" not in str(error.value)
    assert len(way.asked) == 1


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan"])
def test_a_patience_that_is_no_number_is_refused(
    seconds: str, medium: ObjectMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(bucket.PATIENCE, seconds)
    with pytest.raises(InputError, match=f"ATTNRAY_STORE_PATIENCE={seconds}: give a number"):
        medium.size("a")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are renewed, and end, in no time."""
    monkeypatch.setattr(lease, "RENEWED", 0.1)
    monkeypatch.setattr(lease, "TERM", 0.5)


def owner(host: str, process: int) -> bytes:
    return json.dumps({"id": "", "host": host, "process": process, "since": "noon"}).encode()


@pytest.mark.usefixtures("quick")
def test_a_second_driver_stops(medium: ObjectMedium, monkeypatch: pytest.MonkeyPatch) -> None:
    with medium.hold():
        with medium.hold():
            pass
        assert medium.size(LOCK) is not None
        with monkeypatch.context() as another_process:
            another_process.setattr(lease, "_HELD", set())
            another = f"another job .*process {os.getpid()} on {socket.gethostname()}"
            with pytest.raises(IncompleteRun, match=another), medium.hold():
                pass
    assert medium.sizes("") == {}


@pytest.mark.usefixtures("quick")
def test_the_lease_of_a_dead_driver_ends(medium: ObjectMedium) -> None:
    medium.write(LOCK, owner("another machine", os.getpid()))
    with medium.hold():
        held = medium.read(LOCK)
        assert json.loads(held)["process"] == os.getpid()
        wait_until(lambda: medium.read(LOCK) != held)
    assert medium.size(LOCK) is None


def test_of_a_driver_that_was_killed_here_it_ends_at_once(medium: ObjectMedium) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    medium.write(LOCK, owner(socket.gethostname(), process.pid))
    with medium.hold():
        assert json.loads(medium.read(LOCK))["process"] == os.getpid()


@pytest.mark.parametrize("content", [b"", b'{"id', b"[]", b"7", b'{"host": "a"}'])
def test_a_lease_that_no_driver_wrote_is_nobodys(medium: ObjectMedium, content: bytes) -> None:
    medium.write(LOCK, content)
    assert medium.holder() is None
    with medium.hold():
        assert json.loads(medium.read(LOCK))["process"] == os.getpid()


@pytest.mark.usefixtures("quick")
def test_a_lease_that_was_taken_over_is_left_alone(
    medium: ObjectMedium, capsys: pytest.CaptureFixture[str]
) -> None:
    other = owner("another machine", 1)
    with medium.hold():
        medium.write(LOCK, other)
        wait_until(lambda: "another job works" in capsys.readouterr().err)
    assert medium.read(LOCK) == other


def test_who_may_only_read_needs_no_lease(medium: ObjectMedium, way: Faulty) -> None:
    way.share, way.faults = 1.0, ("denied",)
    with medium.hold():
        pass
