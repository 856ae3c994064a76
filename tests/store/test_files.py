"""Fingerprints of content, JSON that carries its checksum, tables as bytes."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from attnray.store.files import (
    FORMAT,
    Checksum,
    Form,
    fingerprint,
    from_parquet,
    parquet,
    sealed,
    unsealed,
)


def test_fingerprints_depend_on_content_and_not_on_order() -> None:
    one = fingerprint({"a": 1, "b": {"c": [1, 2], "d": None}})
    assert one == fingerprint({"b": {"d": None, "c": [1, 2]}, "a": 1})
    others: list[dict[str, object]] = [
        {"a": 2, "b": {"c": [1, 2], "d": None}},
        {"a": 1, "b": {"c": [2, 1], "d": None}},
        {"a": "1", "b": {"c": [1, 2], "d": None}},
        {"a": 1, "b": {"c": [1, 2]}},
    ]
    assert one not in map(fingerprint, others)


CONTENT = {"b": {"y": 1, "a": "é"}, "metric": 'a "b"', "store": None}


@pytest.mark.parametrize("key", ["a", "c", "z"])
@pytest.mark.parametrize("content", [CONTENT, {}])
def test_a_form_gives_the_fingerprint_of_what_is_filled_in(
    key: str, content: dict[str, object]
) -> None:
    form = Form.of(content, key)
    for value in ("", "0123", 'ü "\\'):
        assert form.filled(value) == fingerprint({**content, key: value})
    for values in ([], ["0"], ["0", 'ü "\\', ""]):
        assert form.listing(iter(values)) == fingerprint({**content, key: values})


# Files

SEALED = {"format": FORMAT, "a": [1, 2.5, None], "é": {"b": "ü"}}


def test_sealed_content_comes_back_and_is_json() -> None:
    text = sealed(SEALED)
    assert unsealed(text) == SEALED
    assert json.loads(text).keys() == {*SEALED, "sha256"}
    assert unsealed(sealed({"format": FORMAT, "a": range(3)}))["a"] == [0, 1, 2]


def test_every_flipped_bit_and_every_cut_of_sealed_content_is_noticed() -> None:
    whole = sealed(SEALED)
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            with pytest.raises(ValueError):  # noqa: PT011 (JSON has its own)
                unsealed(bytes(damaged))
        with pytest.raises(ValueError):  # noqa: PT011
            unsealed(whole[:place])


def test_content_without_a_format_has_no_seal() -> None:
    assert unsealed(b'{"layout": 4}') == {"layout": 4}
    with pytest.raises(ValueError, match="not hold"):
        unsealed(b"[]")


def test_the_same_table_gives_the_same_bytes_and_comes_back() -> None:
    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    assert parquet(table) == parquet(table)
    assert from_parquet(parquet(table)).equals(table)
    assert from_parquet(parquet(table), ["b"]).equals(table.select(["b"]))


def test_a_checksum_is_of_size_and_bytes() -> None:
    assert Checksum.of(b"") == (
        0,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    assert Checksum.of(b"a") != Checksum.of(b"b")
