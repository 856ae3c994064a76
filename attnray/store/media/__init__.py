"""What run folders lie on: a local disk, an object store."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from attnray.store.media.base import Medium
from attnray.store.media.local import LocalMedium
from attnray.store.media.objects import ObjectMedium


@lru_cache
def medium_of(root: Path | str) -> Medium:
    """The medium of a run folder, which is a local folder or an address."""
    address = str(root)
    return ObjectMedium(address) if "://" in address else LocalMedium(Path(root))
