"""What files of weights hold, looked at before a model is made: do they fit, are they numbers?"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from attnray.errors import InputError
from attnray.model.families import FAMILIES
from attnray.model.source import Checkpoint

if TYPE_CHECKING:
    from transformers import PretrainedConfig

#: How many values are looked at at a time.
BLOCK = 2**20
#: By the names of safetensors: as which integers a value is read, and which of its bits are all
#: set where it is infinite or no number.
SPECIAL = {
    "F64": ("<u8", 0x7FF << 52),
    "F32": ("<u4", 0xFF << 23),
    "F16": ("<u2", 0x1F << 10),
    "BF16": ("<u2", 0xFF << 7),
    "F8_E5M2": ("<u1", 0x1F << 2),
    "F8_E4M3": ("<u1", 0x7F),
}
#: The weights that have a row for each of something, and the setting that says how many.
ROWS = {
    "word_embeddings.weight": "vocab_size",
    "tok_embeddings.weight": "vocab_size",
    "position_embeddings.weight": "max_position_embeddings",
    "token_type_embeddings.weight": "type_vocab_size",
}


class Weight(NamedTuple):
    """A weight of a file; `real` where it is of floating point, `finite` where all are numbers."""

    name: str
    shape: tuple[int, ...]
    real: bool
    finite: bool


def names(checkpoint: Checkpoint) -> list[str] | None:
    """The names of a checkpoint's weights; None where only loading them tells.

    Raises:
        InputError: a file of them cannot be read.
    """
    files = [checkpoint.folder / name for name in checkpoint.weights_files]
    if not files or files[0].suffix != ".safetensors":
        return None
    return [name for file in files for name in _header(file)]


def check(checkpoint: Checkpoint, config: PretrainedConfig) -> None:
    """Refuse weights that are no numbers, or that the configuration does not fit.

    Raises:
        InputError: names the file, and the weight or the field.
    """
    found = [
        (checkpoint.folder / name, weight)
        for name in checkpoint.weights_files
        for weight in _read(checkpoint.folder / name, checkpoint.files[name])
    ]
    for path, weight in found:
        if not weight.finite:
            raise InputError(
                f"{path}: {weight.name} has values that are no numbers (NaN or infinite); "
                "give another checkpoint"
            )
        if not weight.real and weight.name.endswith((".weight", ".bias")):
            raise InputError(
                f"{path}: {weight.name} is not of floating point, as in quantized models; "
                "give a checkpoint that is not quantized"
            )
        field = next((f for end, f in ROWS.items() if weight.name.endswith(end)), "")
        if hasattr(config, field) and weight.shape[:1] != (getattr(config, field),):
            shape = f"{weight.name} has the shape {weight.shape}"
            raise _unfit(checkpoint, config, field, shape)
    for part, field in FAMILIES[config.model_type].blocks:
        numbers = [re.search(rf"\b{part}\.(\d+)\.", weight.name) for _, weight in found]
        count = max((1 + int(number[1]) for number in numbers if number), default=None)
        if count is not None and count != getattr(config, field):
            raise _unfit(checkpoint, config, field, f"the weights have {part}.0 to {count - 1}")


def _unfit(checkpoint: Checkpoint, config: PretrainedConfig, field: str, found: str) -> InputError:
    said = config.attribute_map.get(field, field)
    return InputError(
        f"{checkpoint.folder / 'config.json'}: {said} is {getattr(config, field)}, but in "
        f"{checkpoint.weights} {found}; give a configuration and weights of one model"
    )


@cache
def _read(path: Path, sha256: str) -> list[Weight]:
    """The weights of a file, which are looked through once."""
    made = _of_safetensors if path.suffix == ".safetensors" else _of_torch
    return list(made(path))


def _of_safetensors(path: Path) -> Iterator[Weight]:
    header = _header(path)
    with path.open("rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        for name, entry in header.items():
            first, last = entry["data_offsets"]
            file.seek(start + first)
            kind = entry["dtype"]
            finite = _finite(file, kind, last - first)
            yield Weight(name, tuple(entry["shape"]), kind in SPECIAL, finite)


def _finite(file: Any, kind: str, size: int) -> bool:
    """Whether the next bytes of a file, so many, are numbers, if they are of a kind with others."""
    code, bits = SPECIAL.get(kind, ("<u1", None))
    if bits is None:
        return True
    left, dtype = size // np.dtype(code).itemsize, np.dtype(code)
    while left > 0:
        block = np.fromfile(file, dtype, min(BLOCK, left))
        if (block & dtype.type(bits)).max() == bits:
            return False
        left -= BLOCK
    return True


def _header(path: Path) -> dict[str, Any]:
    """What a file of safetensors says of its weights, which the library has found to be sound."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy"):
            pass
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return {name: entry for name, entry in header.items() if name != "__metadata__"}


def _of_torch(path: Path) -> Iterator[Weight]:
    import torch

    try:
        found = torch.load(path, "cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        for name, tensor in found.items():
            finite = bool(torch.isfinite(tensor).all())
            yield Weight(name, tuple(tensor.shape), tensor.is_floating_point(), finite)
    except Exception as error:  # whatever the library finds wrong with it
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
    return InputError(f"{path}: the weights cannot be read ({reason}); give a whole checkpoint")
