"""Where run folders are: as given, or by default."""

from __future__ import annotations

import os
from pathlib import Path

from attnray.errors import InputError


def run_folder(run_dir: str) -> Path:
    """A given run folder.

    Raises:
        InputError: it is no local folder.
    """
    if "://" in run_dir:
        raise InputError(f"run_dir={run_dir}: only local or mounted folders are supported so far")
    path = Path(os.path.expanduser(run_dir))
    if path.exists() and not path.is_dir():
        raise InputError(f"run_dir={run_dir} is a file: give a folder")
    return path


def runs_folder() -> Path:
    """Where runs without a run_dir lie: `runs/` here, or at home for a submitted job.

    (The working directory of a submitted job is Ray's own and goes with it.)
    """
    submitted = "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
    return Path.home() / "attnray-runs" if submitted else Path("runs")
