"""Where run folders are: as given, those that a pattern matches, or by default."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import obstore

from attnray.errors import InputError
from attnray.store.folder import RunFolder
from attnray.store.media.bucket import ask, split

#: What a run folder can be: on a disk, or at the address of an object store.
Root = Path | str
#: Credentials are not among it, nor is a query.
_ADDRESS = re.compile("(s3|gs)://[^/?#@:]+(/[^/?#]+)+")


def run_folder(run_dir: str) -> Root:
    """A given run folder.

    Raises:
        InputError: it is none.
    """
    if "://" in run_dir:
        return _address(run_dir)
    path = Path(os.path.expanduser(run_dir))
    if path.exists() and not path.is_dir():
        raise InputError(f"run_dir={run_dir} is a file: give a folder")
    return path


def below(root: Root, *names: str) -> Root:
    """A folder in another one."""
    return root.joinpath(*names) if isinstance(root, Path) else "/".join([root, *names])


def matching(pattern: str) -> list[Root]:
    """The run folders that a pattern matches.

    Raises:
        InputError: there are none.
    """
    paths: Iterable[Root] = map(Path, glob.glob(os.path.expanduser(pattern)))
    if "://" in pattern:
        paths = _matching(_address(pattern))
    found = sorted(path for path in paths if RunFolder(path).planned)
    if not found:
        raise InputError(f"runs={pattern}: no run folder there (one has a manifest.json)")
    return found


def runs_folder() -> Path:
    """Where runs without a run_dir lie: `runs/` here, or at home for a submitted job.

    (The working directory of a submitted job is Ray's own and goes with it.)
    """
    submitted = "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
    return Path.home() / "attnray-runs" if submitted else Path("runs")


def _address(run_dir: str) -> str:
    address = run_dir.rstrip("/")
    if not _ADDRESS.fullmatch(address):
        raise InputError(
            f"run_dir={run_dir}: give a folder, or s3://BUCKET/FOLDER or gs://BUCKET/FOLDER; "
            "credentials come from the environment"
        )
    return address


def _matching(pattern: str) -> list[str]:
    """The folders at addresses that a pattern matches, and addresses that are none."""
    bucket, key = split(pattern)
    found = [bucket]
    for part in key.split("/"):
        inner = _folders if glob.has_magic(part) else lambda _, part: [part]
        found = [f"{outer}/{name}" for outer in found for name in inner(outer, part)]
    return found


def _folders(address: str, pattern: str) -> list[str]:
    """The names of the folders at an address that match a pattern."""
    bucket, key = split(address)
    listed = ask(bucket, address, lambda store: obstore.list_with_delimiter(store, key or None))
    names = (each.rpartition("/")[2] for each in listed["common_prefixes"])
    return [name for name in names if fnmatchcase(name, pattern)]
