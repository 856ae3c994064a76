"""Files of datasets on the Hugging Face hub: hf://datasets/OWNER/NAME[@REVISION]/FILE."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from attnray.corpus.files import checksums, patterns
from attnray.errors import InputError

#: A revision is a branch, a tag, a commit, or one of the hub's own with a slash in its name.
_ADDRESS = re.compile(
    r"hf://datasets/(?P<dataset>[^/@]+/[^/@]+)"
    r"(?:@(?P<revision>refs/convert/[^/]+|refs/pr/\d+|[^/]+))?/(?P<file>.+)"
)


def matching(pattern: str) -> list[str]:
    """The addresses that a pattern matches, or the address that it is.

    Raises:
        InputError: it is no address of a dataset's file, or the hub cannot be reached.
    """
    dataset, revision, file = _parts(pattern)
    if not glob.has_magic(file):
        return [pattern]
    from huggingface_hub import HfApi

    with _explained(pattern):
        names = HfApi().list_repo_files(dataset, repo_type="dataset", revision=revision)
    root = pattern.removesuffix(file)
    return [f"{root}{each}" for each in patterns.matching(file, names)]


def copy(address: str, name: str, expected: str | None) -> str:
    """The path of a file in the hub's own cache, downloaded unless that version is there.

    Raises:
        InputError: the file is not there, cannot be reached, or may not be read.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    dataset, revision, file = _parts(address)
    if expected is not None:
        kept = try_to_load_from_cache(dataset, file, revision=revision, repo_type="dataset")
        if isinstance(kept, str) and checksums.has(kept, expected):
            return kept
    with _explained(address):
        path: str = hf_hub_download(dataset, file, repo_type="dataset", revision=revision)
        return path


def _parts(address: str) -> tuple[str, str | None, str]:
    """Dataset, revision and file."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise InputError(f"{address}: not like hf://datasets/OWNER/NAME/FILE or …/NAME@REVISION/…")
    revision = match["revision"]
    return match["dataset"], revision and unquote(revision), match["file"]


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Say in one line what is wrong with an address."""
    # Of whichever client of HTTP the library uses.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        yield
    except (OSError, ValueError, HTTPError) as error:
        reason = str(error).split("\n", 1)[0].strip(" .")
        raise InputError(
            f"{address}: cannot be had from the hub ({reason}); check the address and the "
            "network, log in with HF_TOKEN where the dataset asks for it, or give a mirror or a "
            "local copy with corpus.path="
        ) from error
