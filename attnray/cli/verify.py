"""`attnray verify RUN_DIR`: what of a run is broken, and with `--repair` its repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from attnray.called import called
from attnray.cli.checks import check
from attnray.cli.doing import doing
from attnray.cli.folders import named
from attnray.cli.jobs import JOBS
from attnray.config import planned, typed
from attnray.errors import Damaged, IncompleteRun
from attnray.metrics.registry import NAMES, known
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
    """Look at every file of a run, or of each of a sweep, and repair them where so asked.

    Raises:
        IncompleteRun: files are missing or damaged; names them.
        InputError: there is no run to look at.
    """
    repair = REPAIR in arguments
    problems = []
    for folder in named(
        [a for a in arguments if a != REPAIR], f"{called('verify')} RUN_DIR [{REPAIR}]"
    ):
        found = _broken(folder)
        if found and repair:
            _repair(folder, found)
            found = _broken(folder)
        if found:
            problems.append(_told(folder, found))
        else:
            print(f"{folder}: whole")
    if problems:
        raise IncompleteRun(". ".join(problems))


def _broken(folder: RunFolder) -> list[Damaged]:
    with doing(f"checking {folder}"):
        return [*broken(_run(folder))]


def _run(folder: RunFolder) -> Run:
    manifest = Manifest.read(folder)
    if manifest is None:
        raise IncompleteRun(f"{folder} is not planned to its end: start the run again")
    config = typed(planned(manifest.config))
    # What is known of one's own metrics is their files: no code of theirs runs.
    check(replace(config, metrics=known(config.metrics) or [*NAMES[:1]]))
    return existing(folder, config, manifest)


def _repair(folder: RunFolder, found: Sequence[Damaged]) -> None:
    with folder.hold():
        for each in found:
            print(f"removed: {each.run}/{each.name} ({each.reason})", flush=True)
            RunFolder(run_folder(each.run)).remove(each.name)
        config = _run(folder).config
        if others := sorted({*config.metrics} - {*known(config.metrics)}):
            raise IncompleteRun(
                f"{folder}: what was broken is removed, and `{called('run')} run_dir={folder} "
                f"metrics=[…]` makes it again, where it names the code of {', '.join(others)} too"
            )
        JOBS["run"](replace(config, run_dir=str(folder.root)), [])


def _told(folder: RunFolder, found: Sequence[Damaged]) -> str:
    names = [f"{each.run}/{each.name} ({each.reason})" for each in found[:NAMED]]
    more = f", and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    many, them = (f"{len(found):,} files are", "them") if len(found) > 1 else ("a file is", "it")
    return (
        f"{folder}: {many} missing or damaged: {', '.join(names)}{more}; "
        f"`{called('verify')} {REPAIR} {folder}` makes {them} again"
    )
