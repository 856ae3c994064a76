"""`attnray status RUN_DIR`: what of a run is done, has failed and is left; it only reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from attnray.called import called
from attnray.cli.folders import named
from attnray.config import CONTROLS, planned, typed
from attnray.executors.log import BEGAN
from attnray.executors.standing import Standing
from attnray.executors.todo import survey
from attnray.stages.planned import CONTROLS as CONTROLS_FOLDER
from attnray.store.folder import EXTRACT, REPORT, RunFolder
from attnray.store.manifest import Manifest
from attnray.store.run import Run

#: So many failures are named.
NAMED = 20


def status(arguments: Sequence[str]) -> None:
    """Print where a run stands, with its twin, or each run of a sweep.

    Raises:
        InputError: there is no run.
    """
    for folder in named(arguments, f"{called('status')} RUN_DIR"):
        print(f"{folder}:", "\n  ".join(_told(folder)))


def _told(folder: RunFolder) -> Iterator[str]:
    """What there is to say of a run, line by line; the first says whether it goes on."""
    driver = folder.driver()
    manifest = Manifest.read(folder)
    if manifest is None:
        yield _state(driver, "not planned to its end")
        yield f"so far {folder.shards_written:,} shards planned"
        yield f"       {len(folder.numbers(EXTRACT)):,} shards extracted"
        return
    runs = [Run(folder, typed(planned(manifest.config)), manifest), *_twins(folder)]
    stands = [Stand.of(run) for run in runs]
    missing = [name for name in runs[0].tables if not folder.has_table(name)]
    whole = all(stand.whole for stand in stands) and not missing and folder.has_page(REPORT)
    yield "complete" if whole else _state(driver, "not complete")
    for stand in stands:
        lines = stand.done() if whole else [*stand.done(), *stand.news()]
        yield from (f"{stand.run.model}: {line}" for line in lines)


def _twins(folder: RunFolder) -> Iterator[Run]:
    for control in CONTROLS:
        twin = RunFolder(f"{folder.root}/{CONTROLS_FOLDER}/{control}")
        if (manifest := Manifest.read(twin)) is not None:
            yield Run(twin, typed(planned(manifest.config)), manifest)


def _state(driver: str | None, state: str) -> str:
    if driver:
        return f"at work ({driver})"
    return f"{state}, and nobody is at work on it: the same command goes on with it"


@dataclass(frozen=True)
class Stand:
    """Where a run stands, and the lines that its latest driver wrote into the log."""

    run: Run
    stages: Mapping[str, Standing]
    log: Sequence[dict[str, Any]]

    @classmethod
    def of(cls, run: Run) -> Stand:
        """Where a run stands: what the same command would find to be done before."""
        stages, _ = survey(run)
        log: list[dict[str, Any]] = []
        for line in filter(_is_whole, run.folder.log()):
            if line.get("event") == BEGAN:
                log.clear()
            log.append(line)
        return cls(run, stages, log)

    @property
    def whole(self) -> bool:
        """Whether everything is measured."""
        return all(each.done == each.total for each in self.stages.values())

    def done(self) -> Iterator[str]:
        """What is done of each stage, and how fast."""
        for stage, standing in self.stages.items():
            yield f"{stage} {standing.done:,} of {standing.total:,}{self._pace(stage, standing)}"

    def news(self) -> Iterator[str]:
        """What the latest driver tells: how long ago, and what failed."""
        if self.log:
            ago = datetime.now(UTC) - _time(self.log[-1])
            yield f"last heard of {timedelta(seconds=round(ago.total_seconds()))} ago"
        failed = self._failed()
        yield from (f"{task} ({stage}) failed: {why}" for (stage, task), why in failed[:NAMED])
        if len(failed) > NAMED:
            yield f"{len(failed) - NAMED} more failed"

    def _pace(self, stage: str, standing: Standing) -> str:
        """How many a second the latest driver did, and what time the rest takes at this rate."""
        lines = [line for line in self.log if line.get("stage") == stage and "seconds" in line]
        if not lines:
            return ""
        began = _time(lines[0]) - timedelta(seconds=lines[0]["seconds"])
        seconds = (_time(lines[-1]) - began).total_seconds()
        size, flop = (sum(line[name] for line in lines) for name in ("examples", "flop"))
        done = replace(standing, before=standing.done - size, flop_before=standing.flop_done - flop)
        return f" ({done.pace(seconds)})"

    def _failed(self) -> list[tuple[tuple[str, str], str]]:
        """The tasks that failed, and were not done since, each with the reason."""
        failed: dict[tuple[str, str], str] = {}
        for line in self.log:
            if task := line.get("task"):
                failed.pop((line["stage"], task), None)
                failed |= {(line["stage"], task): line["error"]} if "error" in line else {}
        return [*failed.items()]


def _is_whole(line: Any) -> bool:
    """Whether a line of the log has what is read of it: it has no checksum."""
    with suppress(LookupError, ValueError, TypeError, AttributeError):
        done = "seconds" in line and line["examples"] + line["flop"] + line["seconds"]
        return bool(_time(line)) and done >= 0 and ("stage" in line or "task" not in line)
    return False


def _time(line: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(line["time"]).astimezone()
