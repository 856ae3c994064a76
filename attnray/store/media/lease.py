"""The lock of a driver on an object store: a lease, taken and renewed by writes on a condition.

No clocks are compared: a driver is at work if its lease is renewed while another one looks on.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import ObjectStore

from attnray.errors import IncompleteRun, InputError, StoreUnreachable
from attnray.store.media.bucket import NoPermission, ask

#: Seconds from one renewal to the next, and from the last one to the end of the lease.
RENEWED, TERM = 5.0, 30.0

_HELD: set[tuple[str, str]] = set()


@contextmanager
def hold(bucket: str, key: str, where: str) -> Iterator[None]:
    """Hold the lease of a run folder; a process that has it already goes on with it.

    Args:
        bucket: its address.
        key: that of the lease.
        where: what messages call the run folder.

    Raises:
        IncompleteRun: another driver has it.
    """
    lease = None if (bucket, key) in _HELD else _Lease(bucket, key, where)
    if lease is None or not lease.take():
        yield
        return
    _HELD.add((bucket, key))
    try:
        yield
    finally:
        _HELD.remove((bucket, key))
        lease.end()


def holder(bucket: str, key: str, where: str) -> str | None:
    """The driver that has the lease of a run folder, if it was not killed on this machine."""
    found, _ = _Lease(bucket, key, where)._found()
    return _told(found) if found and not _was_killed(found) else None


class _Lease:
    def __init__(self, bucket: str, key: str, where: str) -> None:
        self._bucket, self._key, self._where = bucket, key, where
        now = datetime.now().astimezone().isoformat(" ", "seconds")
        owner = {"host": socket.gethostname(), "process": os.getpid(), "since": now}
        self._content: dict[str, Any] = {"id": uuid.uuid4().hex, **owner, "renewals": 0}
        self._version: Any = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def take(self) -> bool:
        """Take the lease and renew it from now on; False where nothing may be written."""
        try:
            if not self._put("create"):
                self._take_over()
        except NoPermission:
            return False
        self._thread.start()
        return True

    def end(self) -> None:
        """Give the lease back."""
        self._ended.set()
        self._thread.join()
        with suppress(InputError, StoreUnreachable):  # then its term ends
            if self._is_own(self._found()[0]):
                ask(self._bucket, self._where, lambda store: obstore.delete(store, self._key))

    def _take_over(self) -> None:
        """Take a lease that was not given back, once its driver is not at work any more."""
        seen, end = None, 0.0
        while True:
            other, version = self._found()
            over = not other or _was_killed(other)
            if over or (version == seen and time.monotonic() > end):
                if self._put(version):
                    return
            elif seen is None:
                seen, end = version, time.monotonic() + TERM
                print(f"{self._where}: {_told(other)} had it; is it at work?", file=sys.stderr)
            elif version != seen:
                raise IncompleteRun(
                    f"{self._where}: another job is at work in this run folder ({_told(other)}); "
                    "wait until it ends, or end it, and start again"
                )
            time.sleep(RENEWED / 5)

    def _renew(self) -> None:
        while not self._ended.wait(RENEWED):
            with suppress(InputError, StoreUnreachable):  # there is time for another try
                if not self._put(self._version):
                    lost = "another job works in this run folder by now; both make the same"
                    print(f"{self._where}: {lost}", file=sys.stderr)
                    return

    def _put(self, mode: Any) -> bool:
        """Write the lease on a condition; False if it is another's."""
        self._content["renewals"] += 1
        text = json.dumps(self._content).encode()
        try:
            told = ask(
                self._bucket,
                self._where,
                lambda store: obstore.put(store, self._key, text, mode=mode),
            )
        except (AlreadyExistsError, FileNotFoundError, PreconditionError):
            # It may be that it was written, though not told.
            found, self._version = self._found()
            return self._is_own(found)
        self._version = _version(told)
        return True

    def _is_own(self, content: dict[str, Any]) -> bool:
        return bool(content.get("id") == self._content["id"])

    def _found(self) -> tuple[dict[str, Any], Any]:
        """What the lease holds, nothing where there is none; and the mode that replaces just it."""

        def read(store: ObjectStore) -> tuple[bytes, Any]:
            result = obstore.get(store, self._key)
            return bytes(result.bytes()), _version(result.meta)

        try:
            content, version = ask(self._bucket, self._where, read)
        except FileNotFoundError:
            return {}, "create"
        return _owner(content), version


def _version(told: Any) -> dict[str, str]:
    """The version of an object, of which stores tell one thing or the other."""
    return {name: told[name] for name in ("e_tag", "version") if told[name]}


def _owner(content: bytes) -> dict[str, Any]:
    """Who has a lease; nobody, where something else than a driver wrote it."""
    try:
        found = json.loads(content)
        _told(found)
    except (KeyError, TypeError, ValueError):
        return {}
    return dict(found)


def _was_killed(owner: dict[str, Any]) -> bool:
    """Whether it was a process of this machine, which has ended."""
    if owner["host"] != socket.gethostname():
        return False
    try:
        os.kill(owner["process"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def _told(owner: dict[str, Any]) -> str:
    return f"process {owner['process']} on {owner['host']}, since {owner['since']}"
