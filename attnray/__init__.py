"""What do attention heads do? Attention in, metrics out, from one laptop to a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from attnray.errors import IncompleteRun, InputError

if TYPE_CHECKING:
    from attnray.interface.best import Best
    from attnray.interface.example import Example
    from attnray.interface.head import Head
    from attnray.interface.mistakes import Mistake, Mistakes
    from attnray.interface.opened import Run
    from attnray.interface.plot import Plot
    from attnray.interface.tables import Tables

__version__ = "0.1.0"

__all__ = [
    "Best",
    "Example",
    "Head",
    "IncompleteRun",
    "InputError",
    "Mistake",
    "Mistakes",
    "Plot",
    "Run",
    "Tables",
    "__version__",
    "open",
    "run",
]

#: What is imported when it is first asked for, and where it is.
_LATER = {
    **{name: name.lower() for name in ("Best", "Example", "Head", "Mistakes", "Plot", "Tables")},
    "Mistake": "mistakes",
    "Run": "opened",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"attnray.interface.{_LATER[name]}"), name)


def open(run_dir: str | PathLike[str], kind: str | None = None, role: str | None = None) -> Run:
    """Open a run: its examples with their attention, its cases and its tables.

    Args:
        run_dir: the run folder, or its address.
        kind: which examples: sentence, document or pair; by default the first that the run has.
        role: what the examples serve, such as syntax, coreference or dev, where a run has several
            sets of a kind.

    Raises:
        InputError: there is no run, or it has no such examples.

    >>> run = attnray.open(RUN_DIR)
    >>> run.best("obj").head
    head 3-1: …
    """
    from attnray.interface.opened import Run

    return Run(run_dir, kind, role)


def run(
    settings: Mapping[str, object] | None = None, /, quiet: bool = False, **more: object
) -> Run:
    """Do a run in this process, as the command `attnray run` does, and open it.

    Settings are those of the command, with the same defaults. Those within others have dots in
    their names, or stand in a dict: `{"batch.tokens": 512}` or `batch={"tokens": 512}`. What was
    done of the run before is not done again.

    Args:
        settings: by their names.
        quiet: nothing is printed.
        more: settings whose names have no dots.

    Raises:
        InputError: a setting or an input cannot be used.
        IncompleteRun: not all could be done; the same call goes on.

    >>> given = {"executor": "serial", "batch.tokens": 1024, "run_dir": RUN_DIR}
    >>> attnray.run(given, model="minilm", corpus="sample", quiet=True)
    <run of minilm (6 layers x 12 heads) on sample: 224 examples (sentence), …>
    """
    from attnray.interface.start import started

    return started({**(settings or {}), **more}, quiet)
