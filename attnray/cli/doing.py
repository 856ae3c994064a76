"""A word on what is being done: at once on a terminal, elsewhere where it takes long."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: What takes longer is said where there is no terminal.
LONG_SECONDS = 10


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Show what is being done as long as it is."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(what):
            yield
        return
    line = f"{what} …"
    said = threading.Timer(LONG_SECONDS, lambda: print(line, file=sys.stderr, flush=True))
    said.daemon = True
    said.start()
    try:
        yield
    finally:
        said.cancel()
