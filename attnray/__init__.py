"""What do attention heads do? Attention in, metrics out, from one laptop to a cluster."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnray.reading import RunReader

__version__ = "0.1.0"

__all__ = ["__version__", "open"]


def open(
    run_dir: str | PathLike[str], kind: str | None = None, role: str | None = None
) -> RunReader:
    """Open a run folder to read its attention and tables; see `attnray.reading.RunReader`."""
    from attnray.reading import RunReader

    return RunReader(run_dir, kind, role)
