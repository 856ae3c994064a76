"""JSON files of a checkpoint, which may come from anywhere: read within bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attnray.errors import InputError

#: No configuration or index is near it (a tokenizer's vocabulary is not read here).
MOST_BYTES = 10 * 2**20


def read_object(path: Path) -> dict[str, Any]:
    """The object that a file holds.

    Raises:
        InputError: the file cannot be read, is too large, or holds something else.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a whole checkpoint") from error
    if len(text) > MOST_BYTES:
        raise InputError(f"{path}: over {MOST_BYTES >> 20} MB; give a whole checkpoint")
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise InputError(f"{path}: nested too deep; give a whole checkpoint") from error
    except ValueError as error:
        reason = str(error).partition(";")[0]
        raise InputError(f"{path}: no JSON ({reason}); give a whole checkpoint") from error
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise InputError(f"{path}: holds no object but a {kind}; give a whole checkpoint")
    return found
