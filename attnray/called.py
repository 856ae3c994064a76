"""How the job that runs was called, and how another one is."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from attnray.redacted import redacted


def called(job: str) -> str:
    """The command of a job: `attnray JOB`, or its file in jobs/ where one of those runs."""
    file = Path(sys.argv[0]).with_name(f"{job}.py")
    if file.parent.name != "jobs" or not file.is_file():
        return f"attnray {job}"
    python = os.path.relpath(sys.executable)
    return f"{'python' if python.startswith('..') else python} {file}"


def said() -> str:
    """The command line of the job that runs, its addresses as they may be shown.

    Empty where something else than a job is at work, such as a script that imports attnray.
    """
    file, *given = sys.argv
    path = Path(file)
    if path.parent.name == "jobs":
        program = ["python", file]
    elif path.name == "attnray":
        program = ["attnray"]
    elif path.name == "__main__.py" and path.parent.name == "attnray":
        program = ["python", "-m", "attnray"]
    else:
        return ""
    return shlex.join([*program, *redacted(given)])
