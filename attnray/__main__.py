"""The command `attnray JOB [settings]`, and `python -m attnray` the same: every job by its name."""

from __future__ import annotations

import sys
from typing import NoReturn

from attnray import __version__
from attnray.cli.help import JOBS, help_text, jobs_text
from attnray.cli.output import until_unread
from attnray.nearest import meant

HELP = {"-h", "--help"}


def main() -> None:
    """Do the job that the command line names first, and end the process."""
    with until_unread():
        _main(*sys.argv[1:] or ["--help"])


def _main(job: str, *rest: str) -> None:
    if job in HELP:
        print(jobs_text())
    elif job == "--version":
        print(f"attnray {__version__}")
    elif job in JOBS and HELP & set(rest):
        print(help_text(job))
    elif job in JOBS:
        _do(job, [*rest])
    elif job == "completion":
        _complete([*rest])
    else:
        near = meant(job, JOBS) or ":"
        _refuse(f"there is no job {job}{near} attnray --help lists all")


def _complete(arguments: list[str]) -> None:
    """Print the script of a shell, or answer one that asks; its status says whether we can."""
    from attnray.cli.completion import SCRIPTS, answer

    if arguments[:1] == ["ask"]:
        found = answer(" ".join(arguments[1:]))
        print("\n".join(found or []))
        sys.exit(found is None)
    if len(arguments) != 1 or arguments[0] not in SCRIPTS:
        _refuse(f"say for which shell: attnray completion {'|'.join(SCRIPTS)}")
    print(SCRIPTS[arguments[0]], end="")


def _do(job: str, arguments: list[str]) -> NoReturn:
    # Hydra takes longer to import than all the rest.
    from attnray.cli.main import main as do

    do(job, arguments)


def _refuse(message: str) -> NoReturn:
    from attnray.cli.main import UNUSABLE

    print(f"attnray: {message}", file=sys.stderr)
    sys.exit(UNUSABLE)


if __name__ == "__main__":
    main()
