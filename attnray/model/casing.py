"""Whether a vocabulary tells upper from lower case, and its tokenizer as well."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: A vocabulary with fewer pieces in upper case, for one in lower case, knows lower case alone, one
#: with more tells them apart.
FEW, MANY = 0.01, 0.05
_SPECIAL = re.compile(r"\s*(\[.*\]|<.*>)")
_UPPER, _LOWER = re.compile("[A-Z]"), re.compile("[a-z]")


def settings(folder: Path) -> dict[str, bool]:
    """What to make a tokenizer with where there is `vocab.txt` alone, and says it by its pieces.

    (Left to itself BERT's would put all in lower case.)
    """
    vocabulary, configuration = folder / "vocab.txt", folder / "tokenizer_config.json"
    if (folder / "tokenizer.json").is_file() or not vocabulary.is_file():
        return {}
    if configuration.is_file() and "do_lower_case" in configuration.read_text(errors="replace"):
        return {}
    pieces = vocabulary.read_text(encoding="utf-8", errors="replace").split("\n")
    return {"do_lower_case": False} if _share(pieces) > MANY else {}


def mismatch(tokenizer: Tokenizer) -> str:
    """What to say of a tokenizer that takes its vocabulary for another kind, or nothing."""
    share = _share(tokenizer.get_vocab())
    normalizer = tokenizer.normalizer
    lowers = normalizer is not None and "A" not in normalizer.normalize_str("A")
    if lowers and share > MANY:
        return "puts words in lower case, but its vocabulary tells upper from lower case"
    if not lowers and 0 <= share < FEW:
        return "tells upper from lower case, but its vocabulary has lower case alone"
    return ""


def _share(pieces: Iterable[str]) -> float:
    """How many pieces have letters in upper case for one that has some in lower case.

    Without any of either it is negative.
    """
    ordinary = [piece for piece in pieces if not _SPECIAL.fullmatch(piece)]
    upper, lower = (sum(bool(kind.search(p)) for p in ordinary) for kind in (_UPPER, _LOWER))
    return upper / max(lower, 1) if upper or lower else -1.0
