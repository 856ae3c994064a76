"""Where libraries keep what they compiled or drew with: at home, where that can be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

#: Of numba and matplotlib, which would fail or say much else; workers have these from their driver.
FOLDERS = ("NUMBA_CACHE_DIR", "MPLCONFIGDIR")


@contextmanager
def caches() -> Iterator[None]:
    """In here libraries have a place for caches: one that goes, where home cannot be written."""
    if os.access(os.path.expanduser("~"), os.W_OK):
        yield
        return
    with TemporaryDirectory(prefix="attnray-") as folder:
        for name in FOLDERS:
            os.environ.setdefault(name, os.path.join(folder, name))
        yield
