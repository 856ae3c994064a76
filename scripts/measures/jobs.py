"""Whole jobs, as processes of their own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from measures.subject import Subject
from measures.timing import WALL, Part, Row, Side, alternated, unprepared

ROOT = Path(__file__).resolve().parents[2]


def workers(subject: Subject) -> Iterator[Row]:
    """The job of patterns and syntax, by one extractor and by two."""
    part = Part("workers", subject.name, "tables, byte for byte", WALL)
    settings = ("executor=ray", *subject.settings, "metrics=[patterns,syntax]")
    sides = {
        str(count): _job(subject.scratch / f"by-{count}", *settings, f"executor.extractors={count}")
        for count in (1, 2)
    }
    timed = alternated(sides, subject.rounds, WALL, warm=False)
    part.same("two extractors", timed["2"].result, timed["1"].result)
    yield part.row("one extractor / two", timed["1"].against(timed["2"]))
    for name, each in timed.items():
        yield part.row(f"extractors: {name}", each.seconds, "s")


def start_up(subject: Subject) -> Iterator[Row]:
    """The job with all its defaults on a new folder and again on it, and the command's help."""
    part = Part("start-up", subject.name, "tables, byte for byte", WALL)
    folder = subject.scratch / "started"
    sides: dict[str, Side[dict[str, str]]] = {
        "the job on a new folder": _job(folder, *subject.settings),
        "the same on a finished one": _job(folder, *subject.settings, anew=False),
        "attnray --help": unprepared(lambda: _command("-m", "attnray", "--help")),
    }
    timed = alternated(sides, subject.rounds, WALL, warm=False)
    new, finished, _ = timed.values()
    part.same("a finished folder", finished.result, new.result)
    for (name, each), goal in zip(timed.items(), ("12", "2", "0.5"), strict=True):
        yield part.row(name, each.seconds, "s", goal)


def _job(folder: Path, *settings: str, anew: bool = True) -> Side[dict[str, str]]:
    """A job on a folder: the sha256 of its tables."""

    def work() -> dict[str, str]:
        _command(str(ROOT / "jobs" / "run.py"), *settings, f"run_dir={folder}")
        tables = sorted((folder / "tables").iterdir())
        return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in tables}

    def prepare() -> Callable[[], dict[str, str]]:
        if anew:
            shutil.rmtree(folder, ignore_errors=True)
        return work

    return prepare


def _command(*arguments: str) -> dict[str, str]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip().splitlines()[-1]}")
    return {}
