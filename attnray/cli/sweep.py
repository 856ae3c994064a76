"""A sweep: many runs in one queue, each whole in a folder of its own, and their comparison."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace

from attnray.cli.doing import doing
from attnray.cli.jobs import JOBS, driving, finish
from attnray.cli.member import Member
from attnray.compare.job import compare
from attnray.errors import IncompleteRun, InputError, describe
from attnray.executors.process import Processed, process_all
from attnray.executors.work import make_executor
from attnray.metrics.base import Predictor
from attnray.metrics.registry import METRICS
from attnray.redacted import redacted
from attnray.report.closing import closing_of_comparison
from attnray.stages.plan import PlannedSets
from attnray.stages.planned import Place, plan
from attnray.store.files import fingerprint
from attnray.store.folder import REPORT, RunFolder, page_of
from attnray.store.places import Root, below, run_folder, runs_folder
from attnray.store.run import Run

#: Settings whose values already tell run folders apart.
NAMED = ("model", "corpus", "corpora")


def sweep(job: str, members: Sequence[Member]) -> None:
    """Do a job for every member; the main job in one queue, with the comparison at its end.

    Raises:
        IncompleteRun: members failed; names each and why. The others are whole.
        InputError: no member can be used, or the members do not make one sweep.
    """
    if job != "run":
        failed, problems = _one_after_another(job, members), []
    else:
        shared = _shared_folder(members)
        with ExitStack() as held:
            failed, whole = _in_one_queue(_placed(members, shared), held)
            problems = _compared(whole, shared)
    if failed:
        many = f"{len(failed)} of the {len(members)} members of the sweep failed"
        problems.insert(0, f"{many}: {'; '.join(failed)}")
    if problems:
        raise IncompleteRun(
            f"{'. '.join(problems)}. The same command goes on where this one stopped"
        )


def _one_after_another(job: str, members: Sequence[Member]) -> list[str]:
    failed = []
    for member in members:
        try:
            JOBS[job](member.config, member.overrides)
        except (InputError, IncompleteRun) as error:
            failed.append(f"{_name(member)}: {error}")
    return failed


def _in_one_queue(
    placed: list[tuple[Member, Place]], held: ExitStack
) -> tuple[list[str], list[Run]]:
    """Plan, process, reduce and report every member; gives what failed, and the whole runs."""
    runs, failed = _planned(placed, held)
    whole: set[RunFolder] = set()
    for processed in process_all(runs, f"sweep of {len(placed)}"):
        folder = processed.run.folder
        try:
            _finish(processed)
            whole.add(folder)
        except Exception as error:  # whatever befell one member, the others go on
            failed.append(f"{folder}: {describe(error)}")
    return failed, [run for run in runs if run.folder in whole]


def _compared(runs: list[Run], folder: Root | None) -> list[str]:
    """Compare whole runs, in a folder or one named after them; gives why it failed, if so."""
    if len(runs) < 2:
        return []
    if any(_lacks_cases(run) for run in runs):
        print("comparison: left out, since cases=false keeps no cases to compare models by")
        return []
    folders = [run.folder for run in runs]
    target = RunFolder(folder or runs_folder() / _default_name(folders))
    try:
        with driving(), doing("comparing"):
            compared = compare(folders, target)
        print(closing_of_comparison(compared))
        print(f"comparison: {target.where(page_of(REPORT))}")
    except IncompleteRun as error:
        return [f"The comparison failed: {error}"]
    return []


def _lacks_cases(run: Run) -> bool:
    """Whether there are metrics that are compared by cases, and none were kept."""
    return not run.config.cases and any(issubclass(METRICS[m], Predictor) for m in run.metrics)


def _planned(placed: list[tuple[Member, Place]], held: ExitStack) -> tuple[list[Run], list[str]]:
    """The runs of the members that can be planned, and why the others cannot.

    Raises:
        InputError: no member can.
    """
    runs: list[Run] = []
    failed: list[str] = []

    def hold(folder: RunFolder) -> None:
        held.enter_context(folder.hold())

    executor = make_executor(placed[0][0].config.executor)
    device = executor.device()
    for member, place in placed:
        try:
            with doing(f"planning {_name(member)}"):
                run = plan(member.config, device, place, executor.spread, hold)
        except (InputError, IncompleteRun) as error:
            failed.append(f"{_name(member)}: {error}")
            continue
        if any(run.folder == other.folder for other in runs):
            raise InputError(f"{run.folder} would be the folder of two members of the sweep")
        runs.append(run)
    if not runs:
        raise InputError("; ".join(failed))
    return runs, failed


def _finish(processed: Processed) -> None:
    if processed.error:
        raise processed.error
    with driving():
        finish(processed.run)
    print(f"report: {processed.run.folder.where(page_of(REPORT))}")


def _placed(members: Sequence[Member], shared: Root | None) -> list[tuple[Member, Place]]:
    """The members with where each lies: in the folder of the sweep, if it has one, in `runs/`."""
    executors = [asdict(member.config.executor) for member in members]
    if any(each != executors[0] for each in executors):
        raise InputError("a sweep runs on one executor: give executor settings a single value")
    planned: PlannedSets = {}
    places = []
    common = set.intersection(*(set(member.overrides) for member in members))
    for member in members:
        own = [each for each in member.overrides if each not in common]
        own = [each for each in redacted(own) if not each.lstrip("+").startswith(NAMED)]
        suffix = "".join(f"-{each}" for each in own)
        config = replace(member.config, run_dir=None) if shared else member.config
        folder = below(shared, "runs") if shared else runs_folder()
        place = Place(folder, suffix.replace("/", "_"), planned)
        places.append((replace(member, config=config), place))
    return places


def _shared_folder(members: Sequence[Member]) -> Root | None:
    """The `run_dir` that all members share, if they have one: the folder of the sweep.

    Raises:
        InputError: it is the folder of a run.
    """
    given = {member.config.run_dir for member in members}
    (shared,) = given if len(given) == 1 else (None,)
    if shared is None:
        return None
    folder = run_folder(shared)
    if RunFolder(folder).planned:
        raise InputError(f"run_dir={shared} is the folder of a run: give the sweep one of its own")
    return folder


def _default_name(folders: list[RunFolder]) -> str:
    return f"sweep-{fingerprint({'runs': sorted(folder.name for folder in folders)})[:8]}"


def _name(member: Member) -> str:
    return " ".join(member.overrides) or "the defaults"
