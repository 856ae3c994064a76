"""How another job is called: as the one that runs was."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def called(job: str) -> str:
    """The command of a job: `attnray JOB`, or its file in jobs/ where one of those runs."""
    file = Path(sys.argv[0]).with_name(f"{job}.py")
    if file.parent.name != "jobs" or not file.is_file():
        return f"attnray {job}"
    python = os.path.relpath(sys.executable)
    return f"{'python' if python.startswith('..') else python} {file}"
