"""A metric of one's own: against numpy on random maps, what it is refused for, how it is found."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.document import Document
from attnray.corpus.example import Example
from attnray.errors import InputError
from attnray.metrics import loading
from attnray.metrics.loading import loaded
from attnray.metrics.own import HeadMetric, Measured
from attnray.metrics.registry import METRICS, check
from attnray.store.files import sha256
from tests.builders import oracle
from tests.builders.cases import assert_same_rows
from tests.builders.random_maps import (
    HEADS,
    LAYERS,
    attended,
    by_document,
    of_tokens,
    segmented,
    texts,
    total,
)


class FirstWord(HeadMetric):
    """The weight from the first query on the last key, as often as there are words but two."""

    def measure(self, example: Example, attention: NDArray[np.float32]) -> Measured:
        return attention[:, :, 0, -1], max(0, len(example.words) - 2)


@given(texts(), st.integers(0, 2**32), st.integers(1, 3))
def test_it_is_the_mean_that_numpy_gives(documents: list[Document], seed: int, shards: int) -> None:
    examples = attended(segmented(documents, "sentence"), seed)
    metric = FirstWord()
    table = metric.tables(total(metric, by_document(examples, shards)))["first_word"]
    counts = [max(0, len(example.words) - 2) for example, _ in examples]
    rows = []
    for layer in range(LAYERS):
        for head in range(HEADS):
            value: dict[str, float] = {}
            weight: dict[str, float] = {}
            for (example, attention), count in zip(examples, counts, strict=True):
                name = example.document
                value[name] = value.get(name, 0) + count * attention[layer, head, 0, -1]
                weight[name] = weight.get(name, 0) + count
            low, high = oracle.intervals([*value.values()], [*weight.values()])
            whole = sum(weight.values())
            mean = float(sum(value.values()) / whole) if whole else None
            place = {"layer": layer + 1, "head": head + 1, "value": mean}
            used = sum(count > 0 for count in counts)
            rows.append({**place, "ci_low": low, "ci_high": high, "examples": used})
    assert_same_rows(table, rows, ("layer", "head"))


# What is refused

FILE = """\
from attnray.metrics.own import HeadMetric


class Failing(HeadMetric):
    def measure(self, example, attention):
        return helper(attention)


def helper(attention):
    return 1 / 0


class OfOneHead(HeadMetric):
    def measure(self, example, attention):
        return attention.mean(axis=(1, 2, 3))


class NoNumber(HeadMetric):
    def measure(self, example, attention):
        return attention.mean(axis=(2, 3)) * [1, float("nan")]


class Negative(HeadMetric):
    def measure(self, example, attention):
        return attention.mean(axis=(2, 3)), -1


class Nothing(HeadMetric):
    pass


class Patterns(HeadMetric):
    def measure(self, example, attention): ...


class Elsewhere(HeadMetric):
    role = "train"

    def measure(self, example, attention): ...


class Other: ...
"""


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """What is loaded is known to this test alone."""
    before = dict(METRICS)
    yield
    METRICS.clear()
    METRICS.update(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


FAILING = {
    "Failing": "ZeroDivisionError: division by zero (line 10)",
    "OfOneHead": "values have the shape (2,), not (layer, head), which is (2, 2)",
    "NoNumber": "the value of head 1-2 is no number",
    "Negative": "it counts -1.0, which must be 0 or more",
}


@pytest.mark.parametrize("kind", FAILING)
def test_what_cannot_be_averaged_is_refused_in_one_line(kind: str, file: Path) -> None:
    (name,) = loaded([f"{file}:{kind}"])
    metric = METRICS[name].of(Config(), None)
    with pytest.raises(InputError) as refused:
        total(metric, [attended([of_tokens(3, 7)], 0)])
    assert str(refused.value) == f"{file}:{kind}, example 7 (document ): {FAILING[kind]}"


UNKNOWN = {
    "mine.py:Nothing": "what extends attnray.metrics.own.HeadMetric needs a method measure",
    "mine.py:Other": "has no Other that extends attnray.metrics.own.HeadMetric",
    "mine.py:Nobody": "has no Nobody that extends",
    "mine.py:Patterns": "its name=patterns must be small letters, digits and _, and no other",
    "mine.py:Elsewhere": "its role=train must be patterns or syntax or coreference",
    "yours.py:Any": "yours.py: No such file or directory",
    "broken.py:Any": "broken.py: NameError: name 'unheard_of' is not defined (line 2)",
    "ending.py:Any": "ending.py: SystemExit: 3 (line 1)",
    "syntax.py:Any": "syntax.py: SyntaxError: '(' was never closed (syntax.py, line 1)",
    "no.such.module:Any": "ModuleNotFoundError: No module named 'no'; it must be installed",
}


@pytest.mark.parametrize("said", UNKNOWN)
def test_what_is_no_metric_is_refused(
    said: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    Path("broken.py").write_text("import sys\nunheard_of\n")
    Path("ending.py").write_text("raise SystemExit(3)\n")
    Path("syntax.py").write_text("print(\n")
    before = dict(METRICS)
    with pytest.raises(InputError) as refused:
        loaded(["patterns", said])
    assert UNKNOWN[said] in str(refused.value)
    assert before == METRICS


def test_two_of_one_name_are_refused_and_the_same_is_loaded_anew(file: Path) -> None:
    assert loaded([f"{file}:Failing", "patterns", f"{file}:NoNumber"]) == [
        *("failing", "patterns", "no_number"),
    ]
    before = METRICS["failing"]
    file.write_text(FILE.replace("1 / 0", "2 / 0"))
    assert loaded([f"{file}:Failing"]) == ["failing"]
    assert METRICS["failing"].source != before.source
    other = file.with_name("other.py")
    other.write_text(FILE)
    with pytest.raises(InputError, match="no other metric's"):
        loaded([f"{other}:Failing"])


def test_a_package_offers_it_by_an_entry_point(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(file.parent)
    offered = EntryPoint("divide", "mine:Failing", loading.GROUP)
    monkeypatch.setattr(
        loading, "entry_points", lambda group: [offered] if group == loading.GROUP else []
    )
    assert loaded(["divide", "mine:NoNumber", "nobody"]) == ["failing", "no_number", "nobody"]
    assert METRICS["failing"].source == METRICS["no_number"].source == sha256(file)
    assert METRICS["failing"].said == "divide"
    with pytest.raises(InputError, match=r"metrics=\[nobody\] is not possible: it must be one or"):
        check(Config(metrics=["nobody"]))
    check(Config(metrics=["syntax", "failing"]))
