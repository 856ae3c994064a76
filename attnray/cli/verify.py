"""`attnray verify RUN_DIR`: what of a run is broken, and with `--repair` its repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from attnray.cli.jobs import JOBS
from attnray.config import planned, typed
from attnray.errors import Damaged, IncompleteRun, InputError
from attnray.stages.planned import existing
from attnray.stages.verify import broken
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from attnray.store.places import run_folder
from attnray.store.run import Run

REPAIR = "--repair"
#: So many files are named.
NAMED = 20


def verify(arguments: Sequence[str]) -> None:
    """Look at every file of a run, and make those that are broken again where that is asked for.

    Raises:
        IncompleteRun: files are missing or damaged; names them.
        InputError: there is no run to look at.
    """
    places = [each.removeprefix("run_dir=") for each in arguments if each != REPAIR]
    if len(places) != 1 or places[0].startswith("-"):
        raise InputError(f"say which run is to be verified: attnray verify RUN_DIR [{REPAIR}]")
    run = _run(places[0])
    found = [*broken(run)]
    if found and REPAIR in arguments:
        for each in found:
            print(f"made again: {each.run}/{each.name} ({each.reason})", flush=True)
            RunFolder(run_folder(each.run)).remove(each.name)
        JOBS["run"](replace(run.config, run_dir=places[0]), [])
        run = _run(places[0])
        found = [*broken(run)]
    if found:
        raise IncompleteRun(_told(run, found))
    print(f"{run.folder}: whole")


def _run(place: str) -> Run:
    folder = RunFolder(run_folder(place))
    manifest = Manifest.read(folder)
    if manifest is None:
        raise InputError(f"{folder} has no manifest.json: it is not a run folder")
    return existing(folder, typed(planned(manifest.config)), manifest)


def _told(run: Run, found: Sequence[Damaged]) -> str:
    names = [f"{each.run}/{each.name} ({each.reason})" for each in found[:NAMED]]
    more = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return (
        f"{run.folder}: {len(found)} files are missing or damaged: {', '.join(names)}{more}. "
        f"`attnray verify {REPAIR} {run.folder}` makes them again"
    )
