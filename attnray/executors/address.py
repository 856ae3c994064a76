"""Whether a cluster can be used that RAY_ADDRESS names: said at once, and in one line."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import grpc
import ray
from ray._private import services
from ray._private.grpc_utils import init_grpc_channel
from ray.core.generated import gcs_service_pb2 as messages
from ray.core.generated.gcs_service_pb2_grpc import NodeInfoGcsServiceStub

from attnray.errors import IncompleteRun, InputError, describe

#: How long the head may take to answer, and how long a node is looked for on this machine.
ANSWER_SECONDS, NODE_SECONDS = 5, 5
NOBODY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
WANTED = "it is to be the HOST:PORT of the head of a running cluster"
TOKEN = "RAY_AUTH_MODE=token with the cluster's RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"


def checked(address: str) -> str:
    """The address of a cluster, as HOST:PORT, once it has answered and lets this process in.

    Raises:
        InputError: it is no address, something else answers there, the cluster runs another
            version of Ray, asks for a token that is not given, or has no node on this machine.
        IncompleteRun: nobody answers.
    """
    try:
        found = _resolved(address)
        _check_version(_answer(found))
        _check_node(found)
    except (InputError, IncompleteRun) as error:
        raise type(error)(f"RAY_ADDRESS={address}: {error}") from error
    return found


def _resolved(address: str) -> str:
    if "://" in address:
        raise InputError(
            f"{WANTED}, on a node of which this job runs; ray job submit sends it there"
        )
    try:
        found = str(services.canonicalize_bootstrap_address(address))
        services.extract_ip_port(found)
    except (ConnectionError, ValueError) as error:
        raise InputError(f"{WANTED} ({describe(error)})") from error
    return found


def _answer(address: str) -> Any:
    try:
        with closing(init_grpc_channel(address)) as channel:
            request = messages.CheckAliveRequest()  # type: ignore[attr-defined]
            return NodeInfoGcsServiceStub(channel).CheckAlive(request, timeout=ANSWER_SECONDS)
    except ray.exceptions.AuthenticationError as error:
        raise InputError(f"there is no token for it: give {TOKEN}") from error
    except grpc.RpcError as error:
        if error.code() in NOBODY and "HTTP/2" not in error.details():  # as a web server answers
            raise IncompleteRun(
                "nobody answers there: start the cluster or correct the address, and start again"
            ) from error
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            raise InputError(f"the cluster refuses the token: give {TOKEN}") from error
        raise InputError(f"what answers there is no cluster: {WANTED}") from error


def _check_version(answer: Any) -> None:
    if answer.ray_version != ray.__version__:
        raise InputError(
            f"the cluster has Ray {answer.ray_version}, and this process {ray.__version__}: "
            "install the same"
        )


def _check_node(address: str) -> None:
    """A driver talks to the node of the cluster on its own machine."""
    client = ray._raylet.GcsClient(address=address)  # type: ignore[attr-defined]
    try:
        services.get_node_to_connect_for_driver(client, timeout_seconds=NODE_SECONDS)
    except RuntimeError as error:
        raise InputError(
            "that cluster has no node on this machine: start one by "
            f"ray start --address={address}, or send the job there by ray job submit"
        ) from error
