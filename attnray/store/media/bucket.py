"""Requests to a bucket: made again while it fails, and told in one line where it fails for long."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, from_url

from attnray.credentials import of_profile
from attnray.errors import InputError, StoreUnreachable

T = TypeVar("T")

#: Names the seconds for which a store may fail, and how many these are without it.
PATIENCE, SECONDS = "ATTNRAY_STORE_PATIENCE", 120.0
#: So long it may before it has ever answered: then it is rather the address that is wrong.
FIRST_SECONDS = 15.0
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
#: What a busy store answers too: it took too long, something else is under way, too many requests.
_PASSING = ("408", "409", "429")
_ANSWERED: set[str] = set()


class NoPermission(InputError):  # noqa: N818 (as those of errors.py)
    """The credentials of the environment do not allow it."""


def split(address: str) -> tuple[str, str]:
    """The address of a bucket, and the key in it: no character of a key has a meaning."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key


def ask(bucket: str, where: str, request: Callable[[ObjectStore], T]) -> T:
    """What a bucket answers to a request.

    Args:
        bucket: its address, such as `s3://bucket`.
        where: what the request is about.
        request: makes it, maybe many times; obstore sees to most failures, but leaves those after
            which something may have been done though it was not told.

    Raises:
        AlreadyExistsError, FileNotFoundError, PreconditionError: so it answers.
        InputError: it cannot be used so.
        StoreUnreachable: it fails all the time.
    """
    patience = _patience()
    store, pause = _store(bucket, patience), 0.1
    end = time.monotonic() + (patience if bucket in _ANSWERED else min(FIRST_SECONDS, patience))
    while True:
        try:
            found = request(store)
            _ANSWERED.add(bucket)
            return found
        except (AlreadyExistsError, FileNotFoundError, PreconditionError) as error:
            if "NoSuchBucket" in str(error):
                raise InputError(f"{where}: there is no such bucket; make it first") from error
            _ANSWERED.add(bucket)
            raise
        except BaseError as error:
            if (refused := _refused(bucket, where, error)) is not None:
                raise refused from error
            if time.monotonic() + pause > end:
                _ANSWERED.discard(bucket)  # whoever asks next need not wait as long
                raise StoreUnreachable(
                    f"{where}: the store cannot be reached ({_reason(error)}); "
                    "once it can, the same command goes on"
                ) from error
        time.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, 10)


def _patience() -> float:
    given = os.environ.get(PATIENCE, str(SECONDS))
    try:
        if 0 < (seconds := float(given)) < 1e6:
            return seconds
    except ValueError:
        pass
    raise InputError(f"{PATIENCE}={given}: give a number of seconds")


@lru_cache
def _store(bucket: str, patience: float) -> ObjectStore:
    """The client of a bucket, with the credentials that the environment has."""
    client: Any = {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=patience / 24),
        "timeout": timedelta(seconds=patience / 8),
        "user_agent": "attnray",
    }
    retries: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=patience / 8)}
    try:
        store: ObjectStore = from_url(
            bucket, client_options=client, retry_config=retries, **of_profile(bucket)
        )
    except (BaseError, ValueError) as error:
        raise InputError(f"{bucket}: no usable address of a store ({_reason(error)})") from error
    return store


def _refused(bucket: str, where: str, error: BaseError) -> InputError | None:
    """That a bucket would answer the same again; None where it might not."""
    status = re.search(r"status code: (\d+)", str(error))
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        names = _CREDENTIALS[bucket.partition("://")[0]]
        return NoPermission(f"{where}: no permission; set {names} to what has it")
    of_client = status is not None and status[1].startswith("4") and status[1] not in _PASSING
    if of_client or isinstance(error, (InvalidPathError, NotSupportedError)):
        return InputError(f"{where}: the store refuses this ({_reason(error)})")
    return None


def _reason(error: Exception) -> str:
    """What obstore says, without the request and what it looks like in its code."""
    line = str(error).split("\n", 1)[0]
    return line.rpartition(" - ")[2].partition(": <")[0]
