"""The command `attnray JOB [settings]`, and `python -m attnray` the same: every job by its name."""

from __future__ import annotations

import os
import re
import sys
from difflib import get_close_matches
from typing import NoReturn

from attnray import __version__
from attnray.cli.help import JOBS, help_text, jobs_text

HELP = {"-h", "--help"}


def main() -> None:
    """Do the job that the command line names first, and end the process."""
    job, *rest = sys.argv[1:] or ["--help"]
    if job in HELP:
        print(jobs_text())
    elif job == "--version":
        print(f"attnray {__version__}")
    elif job in JOBS and HELP & set(rest):
        print(help_text(job))
    elif job in JOBS:
        del sys.argv[1]
        _do(job)
    elif job == "-sc":
        _complete()
    else:
        near = get_close_matches(job, JOBS, n=1, cutoff=0)[0]
        _refuse(f"there is no job {job}: did you mean {near}? attnray --help lists all")


def _complete() -> None:
    """Answer the shell, which asks by the command's name alone: all jobs have the same settings."""
    line = os.environ.get("COMP_LINE", "attnray run ")
    if typed := re.fullmatch(r"(\S+)\s+\S+(\s.*)", line):
        os.environ["COMP_LINE"] = typed[1] + typed[2]
        _do("run")
    print(" ".join(JOBS))


def _do(job: str) -> NoReturn:
    # Hydra takes longer to import than all the rest.
    from attnray.cli.main import main as do

    do(job)


def _refuse(message: str) -> NoReturn:
    from attnray.cli.main import UNUSABLE

    print(f"attnray: {message}", file=sys.stderr)
    sys.exit(UNUSABLE)


if __name__ == "__main__":
    main()
