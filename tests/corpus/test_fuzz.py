"""Any damage to a corpus gives documents, or an error that names the file: nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnray.config import BatchConfig, CorpusConfig, ShardConfig
from attnray.corpus import readers
from attnray.corpus.drafts import to_table
from attnray.corpus.formats.rows import FIELDS
from attnray.corpus.segment import Segmenter
from attnray.corpus.shards import batches, shards
from attnray.corpus.units import Units
from attnray.errors import InputError
from attnray.model.pieces import WordPieces
from attnray.probe.vectors import Glove

CONLLU = "\n".join(
    [
        "# newdoc id = one",
        "# global.Entity = eid-etype-head-other",
        "# sent_id = a",
        "1-2\tWon't\t_\t_\t_\t_\t_\t_\t_\tEntity=(e3)",
        "1\tWo\t_\tAUX\tMD\tVerbForm=Fin\t3\taux\t_\tEntity=(e1-person-1",
        "2\tn't\t_\tPART\tRB\t_\t3\tadvmod\t_\tEntity=e1)",
        "2.1\tshe\t_\t_\t_\t_\t_\t_\t_\tEntity=(e2[1/2]-person-1-)",
        "3\tgo\t_\tVERB\tVB\t_\t0\troot\t_\tEntity=(e2)|SpaceAfter=No",
        "",
        "# newdoc id = two",
        "1\tGo\t_\tVERB\tVB\t_\t0\troot\t_\t_",
        "2\t!\t_\tPUNCT\t.\t_\t1\tpunct\t_\t_",
        "",
        "",
    ]
)
CONLL2012 = "\n".join(
    [
        "#begin document (bc/cctv); part 001",
        "bc/cctv 1 0 The DT (TOP(S(NP* - - - - * (1",
        "bc/cctv 1 1 cat NN *) - - - - * 1)|(2)",
        "bc/cctv 1 2 sat VBD (VP*)) - - - - * -",
        "bc/cctv 1 3 /. . *) - - - - * -",
        "",
        "#end document",
        "",
    ]
)
GAP = "\n".join(
    [
        "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL",
        "v-1\tAnn met Eve. She left.\tShe\t13\tAnn\t0\tTRUE\tEve\t8\tFALSE\thttp://x",
        "",
    ]
)
SENTENCE = {
    "words": ["The", "cat"],
    "heads": [2, 0],
    "relations": ["det", "root"],
    "upos": ["DET", "NOUN"],
    "tags": ["DT", "NN"],
    "document": "d",
    "sent_id": 1,
}
ROWS: list[dict[str, Any]] = [
    SENTENCE,
    {"text": "A cat. It sat."},
    {"tokens": ["[CLS]", "a", "##b"]},
]
SOUND = {
    "conllu": CONLLU,
    "conll2012": CONLL2012,
    "word_head": "The 2-det\ncat 0-root\n\nGo 0-root\n",
    "gap": GAP,
    "text": "A cat. It sat.\non a mat.\n\n\u201cAnother\u201d one.\n",
    "json": "\n".join(json.dumps(SENTENCE | {"sent_id": n}) for n in range(2)),
}
#: What is put in place of a field, or between two bytes.
ODD = ["", "\t", " ", "_", "-", "|", "(", ")", "[1/2]", "0", "-1", "9" * 5000, "\0", "\r", "\ufeff"]
ODD += [
    "\u2028",
    "\x85",
    "\x1f",
    "\x1b[2J",
    "#",
    "# newdoc",
    "\n",
    "\n\n",
    "Entity=",
    "\\ud800",
    "1e999",
]
BYTES = st.sampled_from(
    [each.encode() for each in ODD] + [b"\xff", b"\xed\xa0\x80", b"\xc3", b"\x1f\x8b"]
)
#: Any value of JSON, the odd ones of Python's reader among them.
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def said_in_a_line(error: InputError, path: Path) -> None:
    assert str(error).startswith(f"{path}:")
    assert str(error).isprintable()
    assert len(str(error)) < len(str(path)) + 400


@pytest.fixture(scope="module")
def plan(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bytes, str], None]:
    """Reads and drafts a file of these bytes, and sees that no error is but of the input."""
    pieces = WordPieces(tiny_model)
    path = tmp_path_factory.mktemp("fuzz") / "file"

    def check(content: bytes, form: str) -> None:
        path.write_bytes(content)
        corpus = CorpusConfig(name="fuzz", format=form, path=str(path))
        try:
            readers.annotated(corpus)
            readers.may_have_mentions(corpus)
            found = list(readers.read(corpus))
            if starts := readers.FORMATS[form].starts:
                assert [*starts(str(path))][-1].documents == len(found)
        except InputError as error:
            said_in_a_line(error, path)
            return
        for kind in ("sentence", "document", "pair"):
            segmenter = Segmenter(kind, pieces, 64, 32, Units(True), 0)
            drafts = (draft for document in found for draft in segmenter.drafts(document))
            for shard in shards(drafts, ShardConfig(512, 2_000_000)):
                order, numbers = batches(
                    [each.length for each in shard], BatchConfig(1024, 1 << 17)
                )
                assert len(to_table(shard, order, numbers, pieces)) == len(shard)

    return check


@pytest.mark.parametrize("form", SOUND)
@given(data=st.data())
@settings(max_examples=100)
def test_bytes_and_lines(
    plan: Callable[[bytes, str], None], form: str, data: st.DataObject
) -> None:
    content = SOUND[form].encode()
    for _ in range(data.draw(st.integers(0, 3))):
        content = data.draw(st.sampled_from([_put, _dropped, _flipped, _lines]))(content, data)
    plan(content, form)


def _place(content: bytes, data: st.DataObject) -> int:
    return data.draw(st.integers(0, len(content)))


def _put(content: bytes, data: st.DataObject) -> bytes:
    """Something odd in the place of some bytes, or between two."""
    place = _place(content, data)
    rest = place + data.draw(st.integers(0, 3))
    return content[:place] + data.draw(BYTES) + content[rest:]


def _dropped(content: bytes, data: st.DataObject) -> bytes:
    one, other = sorted((_place(content, data), _place(content, data)))
    return content[:one] + content[other:] if data.draw(st.booleans()) else content[:other]


def _flipped(content: bytes, data: st.DataObject) -> bytes:
    place = _place(content, data)
    bit = 1 << data.draw(st.integers(0, 7))
    return (
        content[:place]
        + bytes(each ^ bit for each in content[place : place + 1])
        + content[place + 1 :]
    )


def _lines(content: bytes, data: st.DataObject) -> bytes:
    """Some fields or lines in another order, twice or not at all."""
    between = data.draw(st.sampled_from([b"\n", b"\t", b" ", b"|"]))
    some = content.split(between)
    chosen = data.draw(st.lists(st.integers(0, len(some) - 1), max_size=3))
    for place in chosen:
        some.insert(place, some[data.draw(st.integers(0, len(some) - 1))])
    if data.draw(st.booleans()):
        del some[data.draw(st.integers(0, len(some) - 1))]
    return between.join(some)


@given(
    row=st.sampled_from(ROWS),
    field=st.sampled_from([*FIELDS, "other"]),
    value=ANY,
    listed=st.booleans(),
)
@settings(max_examples=150)
def test_json_with_any_value_in_any_field(
    plan: Callable[[bytes, str], None], row: dict[str, Any], field: str, value: Any, listed: bool
) -> None:
    rows = [row, row | {field: value}, row | {field: [value, value]}]
    texts = [json.dumps(each) for each in rows]
    for chosen in (texts, texts[1:2], texts[2:]):
        plan((f"[{','.join(chosen)}]" if listed else "\n".join(chosen)).encode(), "json")


COLUMNS: list[Any] = [
    [None, None],
    [True, False],
    [0, 2**62],
    [0.5, float("nan")],
    ["", "a\u2028"],
    [b"\xff", b""],
    [date(1, 1, 1), None],
    [datetime(9999, 1, 1), None],
    [Decimal("1.5"), None],
    [{"names": "a"}, {"names": None}],
    [[], [None]],
    [[["a"]], [["b"]]],
    [["a", None], ["b", "c"]],
    [[0, 1], [2, 0]],
    [["0", "1"], ["2", "0"]],
    [[True, None], [False, True]],
]


@given(fields=st.dictionaries(st.sampled_from([*FIELDS, "other"]), st.sampled_from(COLUMNS)))
@settings(max_examples=100)
def test_parquet_with_any_type_in_any_column(
    plan: Callable[[bytes, str], None], fields: dict[str, Any]
) -> None:
    plan(_parquet({"words": [["a", "b"], ["c", "d"]]} | fields), "parquet")


@given(data=st.data())
@settings(max_examples=150)
def test_bytes_of_parquet(plan: Callable[[bytes, str], None], data: st.DataObject) -> None:
    content = _parquet({"words": [["a", "b"], ["c"]], "upos": [[0, 1], [0]]})
    for _ in range(data.draw(st.integers(1, 2))):
        content = data.draw(st.sampled_from([_dropped, _flipped]))(content, data)
    plan(content, "parquet")


@cache
def _metadata() -> bytes:
    feature = {"feature": {"names": ["DET", "NOUN"]}}
    return json.dumps({"info": {"features": {"upos": feature, "tags": feature}}}).encode()


def _parquet(fields: dict[str, Any]) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table(fields).replace_schema_metadata({"huggingface": _metadata()})
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


@given(data=st.data())
@settings(max_examples=100)
def test_vectors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "vectors.txt"
    content = b"the 0.5 -1e-3 2\ncat 1 2 3\nNew York 1 0 0\n"
    for _ in range(data.draw(st.integers(0, 3))):
        content = data.draw(st.sampled_from([_put, _dropped, _flipped, _lines]))(content, data)
    path.write_bytes(content)
    try:
        vectors = Glove(str(path), ["the", "cat", "York"])
    except InputError as error:
        said_in_a_line(error, path)
    else:
        asked: Any = SimpleNamespace(words=["the", "cat", "York", "dog"])
        assert vectors.of(asked).isfinite().all()
