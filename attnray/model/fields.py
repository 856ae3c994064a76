"""What a checkpoint's `config.json` says, held against what can be, without a library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnray.errors import InputError
from attnray.model.families import unsupported
from attnray.model.json_file import read_object

#: The least and the most that fields of `config.json` may say, by the names of all families.
WHOLE = {
    **dict.fromkeys(("num_hidden_layers", "n_layers"), (1, 1000)),
    **dict.fromkeys(("num_hidden_groups", "inner_group_num"), (1, 1000)),
    **dict.fromkeys(("num_attention_heads", "n_heads"), (1, 1000)),
    **dict.fromkeys(("hidden_size", "dim", "embedding_size"), (1, 2**16)),
    **dict.fromkeys(("intermediate_size", "hidden_dim"), (1, 2**18)),
    "vocab_size": (1, 2**24),
    "max_position_embeddings": (1, 2**20),
    "type_vocab_size": (0, 2**10),
    "num_labels": (0, 2**16),
    "chunk_size_feed_forward": (0, 0),
}
FRACTIONS = {"layer_norm_eps": (0, 1), "norm_eps": (0, 1), "initializer_range": (0, 1000)}


def check(path: Path) -> None:
    """Refuse a configuration of which no model can be made.

    Raises:
        InputError: says which field is wrong, and where.
    """
    content = read_object(path)
    reason = _impossible(content)
    if reason is not None:
        raise InputError(f"{path}: {reason}; give a whole checkpoint")
    # (Where it is missing, transformers may know it by other means.)
    kind = content.get("model_type")
    if kind is not None and (reason := unsupported(kind)):
        raise InputError(f"{path}: {reason}")


def _impossible(content: dict[str, Any]) -> str | None:
    """Which field says what cannot be, None where none does."""
    for field, (least, most) in {**WHOLE, **FRACTIONS}.items():
        value = content.get(field, least)
        kinds = int if field in WHOLE else int | float
        if not isinstance(value, kinds) or isinstance(value, bool) or not least <= value <= most:
            kind = "a whole number" if field in WHOLE else "a number"
            return f"{field} is {value!r:.50}, and must be {kind} from {least} to {most}"
    if content.get("pruned_heads"):
        return "pruned_heads names heads, but only models with all their heads are supported"
    return None
