"""Whether a cluster answers: what is silence, what is none, and who waits inside Ray meanwhile."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from attnray.errors import IncompleteRun
from attnray.executors import pulse
from attnray.executors.connection import ray
from attnray.executors.pulse import Pulse

NODE = SimpleNamespace(node_manager_address="", resources_total={}, state=pulse.ALIVE)


class Cluster:
    """Answers with itself as its node, or takes so many seconds of its clock to give none."""

    now = 0.0
    takes = 0.0

    def hex(self) -> str:
        return "here"

    def get_all_node_info(self, timeout: float) -> dict[object, object]:
        self.now += self.takes
        if self.takes:
            raise ray.exceptions.RpcError("no answer")
        return {self: NODE}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    cluster = Cluster()
    worker = SimpleNamespace(global_worker=SimpleNamespace(gcs_client=cluster))
    context = SimpleNamespace(get_node_id=lambda: "here")
    simulated = SimpleNamespace(
        get_runtime_context=lambda: context,
        exceptions=ray.exceptions,
        _private=SimpleNamespace(worker=worker),
    )
    monkeypatch.setattr(pulse, "ray", simulated)
    monkeypatch.setattr(pulse, "time", SimpleNamespace(monotonic=lambda: cluster.now))
    return cluster


def test_silence_is_said(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "ASK_SECONDS", 1000)
    with Pulse() as followed:
        cluster.takes = 6
        followed.look()
        with pytest.raises(IncompleteRun, match="not answered for 12 s; the same command goes on"):
            followed.look()


def test_a_driver_that_was_stopped_has_not_asked(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "ASK_SECONDS", 1000)
    with Pulse() as followed:
        cluster.takes = 3600
        followed.look()
        cluster.takes = 0
        followed.look()
        cluster.now += 3600
        followed.check()


def test_who_waits_inside_ray_is_ended(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bytes] = []
    ended = threading.Event()

    system = SimpleNamespace(write=lambda _, line: said.append(line), _exit=lambda _: ended.set())
    monkeypatch.setattr(pulse, "os", system)
    monkeypatch.setattr(pulse, "ASK_SECONDS", 0.01)
    with Pulse():
        cluster.takes = 3
        assert ended.wait(60)
    assert said[0].startswith(b"attnray: the Ray cluster has not answered for ")
