"""What RAY_ADDRESS may name: every address that cannot be used is told in a line."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import HTTPServer, SimpleHTTPRequestHandler
from threading import Thread
from typing import Any

import grpc
import pytest

from attnray.errors import IncompleteRun, InputError
from attnray.executors.connection import Connection, ray
from tests.builders.jobs import refusal

# Behind the connection, which sets what Ray reads as it is imported.
from attnray.executors import address  # isort: skip
from ray.core.generated import gcs_service_pb2 as messages  # isort: skip
from ray.core.generated import gcs_service_pb2_grpc as services  # isort: skip


class Head(services.NodeInfoGcsServiceServicer):
    """As much of the head of a cluster as is asked."""

    def __init__(self, version: str, refuses: bool = False) -> None:
        self._version = version
        self._refuses = refuses

    def CheckAlive(self, _: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        if self._refuses:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
        return messages.CheckAliveReply(ray_version=self._version)  # type: ignore[attr-defined]


@contextmanager
def serving(*heads: Head) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(1))
    for head in heads:
        services.add_NodeInfoGcsServiceServicer_to_server(head, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


# Ray reads it once for all of this process.
os.environ.setdefault("RAY_AUTH_TOKEN", "0" * 64)


def refused(given: str) -> str:
    with pytest.raises(InputError) as error:
        address.checked(given)
    assert str(error.value).startswith(f"RAY_ADDRESS={given}: ")
    return str(error.value)


@pytest.mark.parametrize("given", ["ray://127.0.0.1:10001", "http://127.0.0.1:8265", "head", "a:b"])
def test_what_is_no_address(given: str) -> None:
    assert "HOST:PORT" in refused(given)


def test_a_port_that_no_head_can_have() -> None:
    assert "between 1024 and 65535" in refused("127.0.0.1:99999")


def test_another_version() -> None:
    with serving(Head("2.0.0")) as given:
        assert f"has Ray 2.0.0, and this process {ray.__version__}" in refused(given)


def test_another_version_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise RuntimeError("Version mismatch: The cluster was started with:\n  Python: 3.9.1\n")

    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    monkeypatch.setattr(address, "checked", lambda given: given)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(InputError, match=r"Version mismatch: .* Python: 3\.9\.1: use the same"):
        Connection.open()


def test_a_token_that_is_refused() -> None:
    with serving(Head(ray.__version__, refuses=True)) as given:
        assert "refuses the token" in refused(given)


def test_another_server() -> None:
    with serving() as given:
        assert "what answers there is no cluster" in refused(given)


def test_a_web_server() -> None:
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        assert "what answers there is no cluster" in refused(f"127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_a_cluster_without_a_node_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise RuntimeError("No node info found")

    monkeypatch.setattr("ray._private.services.get_node_to_connect_for_driver", none)
    monkeypatch.setattr("ray._raylet.GcsClient", lambda address: address)
    with serving(Head(ray.__version__)) as given:
        assert "no node on this machine" in refused(given)


def test_a_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(IncompleteRun, match="nobody answers there"):
            address.checked(given)


def test_a_job_says_that_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    line = refusal("run", "executor=ray", status=1, scratch=True, variables={"RAY_ADDRESS": free})
    assert line.startswith(f"attnray: RAY_ADDRESS={free}: nobody answers there")
