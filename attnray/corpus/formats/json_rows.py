"""Reading JSON: a list of objects, as of the paper's authors, or an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from attnray.corpus import bounds
from attnray.corpus.bounds import shown, within
from attnray.corpus.document import Document
from attnray.corpus.files.lines import error_at, numbered_lines
from attnray.corpus.formats.rows import Row, documents
from attnray.errors import InputError


def read_json(path: str, language: str = "en") -> Iterator[Document]:
    """The documents of a file: see `rows.documents` for the fields of its objects.

    Args:
        path: the file. A list is read whole, lines one at a time.
        language: what the sentence splitter takes a `text` for, as an ISO 639 code.

    Raises:
        InputError: with file and line or object, what cannot be read and what it should be.
    """
    return documents(path, json_rows(path), language)


def json_rows(path: str) -> Iterator[Row]:
    """The objects of a file.

    Raises:
        InputError: it cannot be read, or is not JSON.
    """
    lines = ((number, line) for number, line in numbered_lines(path) if line.strip())
    first = next(lines, None)
    if first is None:
        return
    whole = first[1].lstrip().startswith("[")
    listed = _listed if whole else _each
    for where, value in listed(path, chain([first], lines)):
        if not isinstance(value, dict):
            raise InputError(f"{where}: {shown(value)} is no object; give one with fields")
        yield Row(where, value)


def _each(path: str, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[str, Any]]:
    for number, line in lines:
        try:
            yield f"{path}:{number}", _parsed(line)
        except ValueError as error:
            problem = f"no JSON ({_reason(error)}); give an object a line, or one list of objects"
            raise error_at(path, number, problem) from error


def _listed(path: str, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[str, Any]]:
    numbers, texts, size = [], [], 0
    for number, line in lines:
        size += len(line)
        within(f"{path}:{number}", size, bounds.JSON_LIST, "characters in a list (not a line each)")
        numbers.append(number)
        texts.append(line)
    try:
        values = _parsed("\n".join(texts))
    except ValueError as error:
        problem = f"no JSON ({_reason(error)}); give a list of objects, or an object a line"
        place = error.lineno - 1 if isinstance(error, json.JSONDecodeError) else 0
        raise error_at(path, numbers[place], problem) from error
    for number, value in enumerate(values, 1):
        yield f"{path}: object {number}", value


def _parsed(text: str) -> Any:
    """What JSON says.

    Raises:
        ValueError: it is none, is nested too deep, or has numbers or characters that are none.
    """
    try:
        value = json.loads(text)
        if "\\u" in text:  # else there is no half of a pair of surrogates in it
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    if isinstance(error, UnicodeEncodeError):
        return "half of a surrogate pair is no character"
    return str(error).partition(":")[0]
