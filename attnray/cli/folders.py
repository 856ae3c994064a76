"""Run folders that a command line names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attnray.errors import InputError
from attnray.store.folder import RunFolder
from attnray.store.places import run_folder


def named(arguments: Sequence[str], usage: str) -> list[RunFolder]:
    """The run folder that an argument names, or those of a sweep's members.

    Raises:
        InputError: there is not one argument, or no run.
    """
    places = [each.removeprefix("run_dir=") for each in arguments]
    if len(places) != 1 or places[0].startswith("-"):
        raise InputError(f"say which run is meant: {usage}")
    found = [*_folders(places[0])]
    if not found:
        raise InputError(f"{places[0]}: no run folder there, nor one of a sweep")
    return found


def _folders(place: str) -> Iterator[RunFolder]:
    folder = RunFolder(run_folder(place))
    if folder.planned or folder.shards_written:
        yield folder
    elif "://" not in place:
        for member in sorted(Path(place, "runs").glob("*/")):
            yield from _folders(str(member))
