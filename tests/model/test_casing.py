"""Whether vocabularies tell upper from lower case, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers

from attnray.model.casing import mismatch
from attnray.model.pieces import WordPieces

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", "<X>"]
LOWER = ["ann", "met", "bob", "a", "##b", "."]
CASED = ["Ann", "met", "Bob", "a", "##B", "."]


def checkpoint(folder: Path, pieces: list[str], settings: dict[str, bool] | None = None) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *pieces]) + "\n")
    if settings is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize(
    ("pieces", "settings", "found"),
    [
        (CASED, None, ["Ann", "met", "Bob"]),
        (CASED, {}, ["Ann", "met", "Bob"]),
        (CASED, {"do_lower_case": False}, ["Ann", "met", "Bob"]),
        (CASED, {"do_lower_case": True}, ["[UNK]", "met", "[UNK]"]),
        (LOWER, None, ["ann", "met", "bob"]),
        (LOWER, {"do_lower_case": False}, ["[UNK]", "met", "[UNK]"]),
        (["北", "京"], None, ["[UNK]"] * 3),
    ],
)
def test_a_vocabulary_alone_says_whether_case_counts(
    pieces: list[str], settings: dict[str, bool] | None, found: list[str], tmp_path: Path
) -> None:
    made = WordPieces(checkpoint(tmp_path / "x", pieces, settings))
    split = made.split(["Ann", "met", "Bob"])
    assert [made.spelling(piece) for word in split for piece in word] == found
    assert sum(word.count(made.unknown or 0) for word in split) == found.count("[UNK]")
    assert bool(made.remark) == ("[UNK]" in found and "met" in found)


@pytest.mark.parametrize(
    ("pieces", "lowers", "said"),
    [
        (CASED, True, "puts words in lower case"),
        (LOWER, False, "tells upper from lower case, but"),
        (LOWER, True, ""),
        (CASED, False, ""),
        (["北", "."], False, ""),
        ([*(f"x{n}" for n in range(50)), "A"], True, ""),  # too few to tell
        ([*(f"x{n}" for n in range(50)), "A"], False, ""),
    ],
)
def test_a_tokenizer_that_takes_its_vocabulary_for_another(
    pieces: list[str], lowers: bool, said: str
) -> None:
    ids = {piece: number for number, piece in enumerate([*SPECIAL, *pieces])}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase() if lowers else normalizers.NFC()
    found = mismatch(tokenizer)
    assert found.startswith(said)
    assert bool(found) == bool(said)
