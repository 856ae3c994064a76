"""Files of web servers (http, https) and object stores (s3, gs), and their copies on disk."""

from __future__ import annotations

import base64
import glob
import hashlib
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import HTTPStore, from_url

from attnray.corpus.files import checksums, patterns
from attnray.credentials import of_profile
from attnray.errors import InputError
from attnray.redacted import redacted

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

#: A long download is no error as long as bytes come.
_CLIENT: Any = {
    "allow_http": True,
    "connect_timeout": "10s",
    "read_timeout": "60s",
    "timeout": "1day",
    "user_agent": "attnray",
}
_RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(minutes=2)}
#: What is given as the time of a last change that the server does not tell.
_NEVER = datetime.fromtimestamp(0, UTC)
_REFUSED = (PermissionDeniedError, UnauthenticatedError)
_INSTEAD = "or give a mirror or a local copy with corpus.path="
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or for a public bucket "
    "AWS_SKIP_SIGNATURE=true, ",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or for a public bucket GOOGLE_SKIP_SIGNATURE=true, ",
}


class UnreachableError(InputError):
    """The server could not be asked."""


def cache_folder() -> Path:
    """Where downloads are kept: ATTNRAY_CACHE, or a folder of the user's cache."""
    given = os.environ.get("ATTNRAY_CACHE")
    if given:
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "attnray" / "corpora"


def matching(pattern: str) -> list[str]:
    """The addresses that a pattern matches, or the address that it is.

    Raises:
        InputError: a web server's files cannot be listed, or the store cannot be reached.
    """
    url = urlsplit(pattern)
    if url.scheme in ("http", "https"):
        if "*" in url.path or "[" in url.path:
            raise InputError(
                f"{pattern}: a web server's files cannot be listed: "
                "give each address, as in corpus.path=[https://…,https://…]"
            )
        return [pattern]
    if not glob.has_magic(pattern):
        return [pattern]
    root, key = _split(pattern)
    with _explained(pattern):
        listed = obstore.list(_store(root), prefix=patterns.fixed(key) or None)
        keys = [each["path"] for some in listed for each in some]
    return [f"{root}/{each}" for each in patterns.matching(key, keys)]


def copy(address: str, name: str, expected: str | None) -> str:
    """The path of a file's copy on disk, downloaded unless there is one of the same version.

    A copy with the expected sha256 is taken without asking the server; where it cannot be
    asked, the latest copy serves a file of which no sha256 is expected.

    Raises:
        InputError: the file is not there, cannot be reached, may not be read, or cannot be kept.
    """
    folder = cache_folder() / hashlib.sha256(address.encode()).hexdigest()[:16]
    kept = sorted(folder.glob(f"*/{glob.escape(name)}"), key=lambda each: each.stat().st_mtime)
    if expected is not None:
        right = (str(each) for each in kept if checksums.has(str(each), expected))
        if (found := next(right, None)) is not None:
            return found
    try:
        return str(_latest(address, folder, name, again=expected is not None))
    except UnreachableError as error:
        if expected is not None or not kept:
            raise
        print(f"{error}; meanwhile taking the copy {kept[-1]}", file=sys.stderr)
        return str(kept[-1])


def _latest(address: str, folder: Path, name: str, again: bool) -> Path:
    """The copy of what the server has now; `again` downloads even a version that is there."""
    with _explained(address):
        store, key = _file(address)
        version = _version(_look(store, key))
    place = folder / (version or "unknown") / name
    if again or version is None or not os.path.exists(place):
        _download(address, store, key, place)
    return place


def _look(store: ObjectStore, key: str) -> ObjectMeta:
    """What the server says of a file; an address signed for downloads allows nothing else."""
    try:
        return obstore.head(store, key)
    except _REFUSED:
        return obstore.get(store, key).meta


def _version(meta: ObjectMeta) -> str | None:
    """What tells one version of a file from another, None where the server does not say."""
    told = meta["e_tag"]
    if not told:
        changed = meta["last_modified"]
        if changed == _NEVER:
            return None
        told = f"{changed.isoformat()} {meta['size']}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _download(address: str, store: ObjectStore, key: str, place: Path) -> None:
    """Put a file in its place, whole or not at all."""
    part = place.with_name(f"{uuid.uuid4().hex}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            for chunk in _chunks(address, store, key):
                file.write(chunk)
        os.replace(part, place)
    except OSError as error:
        raise InputError(
            f"{address}: cannot be kept in {place.parent} ({error.strerror}); "
            "name another folder with ATTNRAY_CACHE"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _chunks(address: str, store: ObjectStore, key: str) -> Iterator[bytes]:
    with _explained(address):
        result = obstore.get(store, key)
        print(f"downloading {redacted(address)} ({_size(result.meta['size'])})", file=sys.stderr)
        yield from (bytes(chunk) for chunk in result)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _file(address: str) -> tuple[ObjectStore, str]:
    """The store and the key of a file; a web address, with its query, is a store of its own."""
    url = urlsplit(address)
    if url.scheme in ("http", "https"):
        credentials, at, host = url.netloc.rpartition("@")
        options: Any = {**_CLIENT, "default_headers": _basic(credentials)} if at else _CLIENT
        bare = url._replace(netloc=host).geturl()
        return HTTPStore(bare, client_options=options, retry_config=_RETRIES), ""
    root, key = _split(address)
    return _store(root), key


def _basic(credentials: str) -> dict[str, str]:
    """What sends the user and the password of an address (the library leaves them out)."""
    return {"authorization": f"Basic {base64.b64encode(unquote_to_bytes(credentials)).decode()}"}


def _store(root: str) -> ObjectStore:
    store: ObjectStore = from_url(
        root, client_options=_CLIENT, retry_config=_RETRIES, **of_profile(root)
    )
    return store


def _split(address: str) -> tuple[str, str]:
    """A bucket and a key: no character of a key has a meaning of its own."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Say in one line what is wrong with an address."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{address}: not found; check the address, {_INSTEAD}") from error
    except _REFUSED as error:
        hint = _CREDENTIALS.get(urlsplit(address).scheme, "")
        raise InputError(f"{address}: no permission to read it; {hint}{_INSTEAD}") from error
    except (BaseError, ValueError) as error:
        reason = str(error).split("\n", 1)[0].rpartition(" - ")[2].partition(": <")[0]
        raise UnreachableError(
            f"{address}: cannot be had ({reason}); check the network, {_INSTEAD}"
        ) from error
