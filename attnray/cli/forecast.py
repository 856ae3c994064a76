"""What a planned run will take: examples, disk, and time by a rehearsal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich.filesize import decimal

from attnray.cli.doing import doing
from attnray.executors.rehearsal import rehearse
from attnray.executors.todo import Todo, survey
from attnray.executors.work import make_executor
from attnray.stages.room import attention_bytes, found_bytes
from attnray.stages.tasks import AnalyseTask, ProbeTask
from attnray.store.run import Run


def forecast(run: Run) -> Iterator[str]:
    """What there is to say, line by line; the last takes some seconds to be found."""
    for each in run.manifest.sets:
        kinds = f"{each.size:,} {each.kind}s of {each.corpus}"
        yield f"examples:  {kinds}, {sum(each.tokens):,} word pieces in {len(each.shards):,} shards"
    runs = run.with_twin
    attention = sum(attention_bytes(each, left=True) for each in runs)
    found = sum(found_bytes(each, left=True) for each in runs)
    disk = run.folder.disk()
    free = f"; {decimal(disk[1])} are free" if disk else ""
    store = run.store.codec
    results = decimal(found)
    yield f"disk:      {decimal(attention)} of attention ({store}), {results} of results{free}"
    with doing("rehearsing"):
        time = _time(run)
    yield f"time:      {time}"


def _time(run: Run) -> str:
    """What is left of a run takes so long, by its extractors."""
    executor = make_executor(run.config.executor)
    seconds: dict[str, float] = {}
    flop, untold = 0.0, 0
    for each in run.with_twin:
        standings, shards = survey(each)
        if not shards:
            continue
        model = Todo(each).model
        paces = executor.once(rehearse, each, model, shards)
        for stage, standing in standings.items():
            left = standing.flop - standing.flop_done
            if stage == ProbeTask.stage:
                untold += standing.total - standing.done
            else:
                seconds[stage] = seconds.get(stage, 0) + paces.get(stage, 0) * left
        flop += sum(s.flop for s in standings.values())
    if not seconds:
        return "nothing is left to be extracted"
    count = executor.extractors(model.device, flop)
    analysis = seconds.pop(AnalyseTask.stage, 0.0)
    extraction = sum(seconds.values()) / count
    # (Of several, analyses go on beside: then the longer of both is what counts.)
    whole = extraction + analysis if count == 1 else max(extraction, analysis)
    extractors = f"{count} extractors" if count > 1 else "one extractor"
    said = f"about {_told(whole)} by {extractors} on {model.device}"
    said += f", {_told(analysis)} of one core for analysis among it" if analysis else ""
    said += f"; {untold} probes are not counted" if untold else ""
    return f"{said}; start and report come on top"


def _told(seconds: float) -> str:
    return str(timedelta(seconds=max(1, round(seconds))))
