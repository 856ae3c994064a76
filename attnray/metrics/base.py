"""What a metric is: one declaration, and an accumulator that gathers a shard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.groups import Group
from attnray.metrics.predictions import Predictions

if TYPE_CHECKING:
    from torch import Tensor

#: Layers and heads of a model.
Heads = tuple[int, int]


class Accumulator(Protocol):
    """Gathers what a metric finds in one shard."""

    def add(self, group: Group, layers: slice, maps: Tensor) -> None:
        """Take in some examples at some layers.

        Groups of examples come in the order of the shard. The layers of a group come in
        ascending order, all of them before the next group.

        Args:
            group: the examples.
            layers: the layers they are of, from 0.
            maps: what the metric is made of, float32 on any device, (example, layer, head,
                query, key), padded to the longest example; what padding holds means nothing.
        """

    def partial(self) -> Any:
        """The sums of the shard, of the metric's partial type, once everything was added."""

    def cases(self) -> pa.Table | None:
        """The cases of a predictor, None of any other metric."""


class Planned(Protocol):
    """The examples that a metric measures."""

    @property
    def key(self) -> str:
        """A fingerprint of what they were made from."""

    @property
    def max_tokens(self) -> int | None:
        """What they were cut to; None for sentences."""

    @property
    def size(self) -> int:
        """How many there are."""


class Metric(ABC):
    """A metric, declared: what it measures, what it is made of, and which tables it gives.

    Attributes:
        name: what settings and folders call it.
        role: the corpus it measures (see `attnray.corpus.roles`).
        made_of: attention, or the gradient of the masked-LM loss with respect to it.
        partial: the type of its partials, a tree of arrays (see `attnray.metrics.tree`).
        rows: its tables, each with its row type.
        compared: those that a comparison of models sets under each other.
        version: rises when its partials change.
        of_whole_set: whether what it finds in a shard depends on the whole example set.
        spellings: whether it needs how the tokens of examples are spelled.
        said: how a command line names one that is not attnray's.
        source: what such a one is made of, as a sha256.
        beside: for one that cannot be asked for by name, the metric it is measured with and
            the corpus format it takes.
    """

    name: ClassVar[str]
    role: ClassVar[str]
    made_of: ClassVar[Literal["attention", "gradients"]] = "attention"
    partial: ClassVar[Any]
    rows: ClassVar[Mapping[str, type]]
    compared: ClassVar[tuple[str, ...]] = ()
    version: ClassVar[int] = 1
    of_whole_set: ClassVar[bool] = False
    spellings: ClassVar[bool] = False
    said: ClassVar[str] = ""
    source: ClassVar[str] = ""
    beside: ClassVar[tuple[str, str] | None] = None

    @classmethod
    @abstractmethod
    def of(cls, config: Config, planned: Planned | None) -> Self:
        """The metric of a configuration, over some examples (None: whichever)."""

    @property
    def parameters(self) -> dict[str, object]:
        """The settings that decide its partials, beside what they are made of."""
        return {}

    @property
    def settings(self) -> dict[str, object]:
        """The settings that decide its tables, beside its partials."""
        return {}

    @abstractmethod
    def start(self, examples: Sequence[Example], heads: Heads) -> Accumulator:
        """An accumulator for the examples of a shard."""

    @abstractmethod
    def tables(self, total: Any) -> dict[str, pa.Table]:
        """The tables of a merged partial, in the order of `rows`, without model and corpus."""


class Predictor(Metric):
    """A metric of heads as predictors: each of its cases is predicted by a head, or not.

    Attributes:
        case: the row type of its cases, but for `right`.
        item: the column that names the rows of its table of best heads.
        directions: what a head is scored in beside itself; one without a name is none.
        together: rows of its table of best heads that are made of the others.
    """

    case: ClassVar[type]
    item: ClassVar[str]
    directions: ClassVar[tuple[str, ...]] = ("",)
    together: ClassVar[tuple[str, ...]]

    @abstractmethod
    def by_row(self, total: Any) -> Mapping[str, Predictions]:
        """What heads have right by row of its table of best heads, of a merged partial."""

    @abstractmethod
    def labels(self, cases: pa.Table) -> NDArray[np.object_]:
        """The label of each case, by which rows of its table of best heads take it in."""

    @abstractmethod
    def rows_of(self, labels: Collection[str]) -> dict[str, set[str]]:
        """The rows of its table of best heads, each with the labels that it takes in.

        Args:
            labels: those that some cases have.
        """

    def groups(self, cases: pa.Table) -> dict[str, NDArray[np.bool_]]:
        """Which cases each row of its table of best heads takes in."""
        labels = self.labels(cases)
        rows = self.rows_of(set(labels.tolist()))
        return {row: np.isin(labels.astype(str), [*taken]) for row, taken in rows.items()}

    @abstractmethod
    def items(self, cases: pa.Table, examples: Mapping[int, Sequence[str]]) -> list[int]:
        """What each case is known by, whichever model it was planned for.

        Args:
            cases: some cases.
            examples: the words of each example, by its number.
        """

    @abstractmethod
    def choice(self, example: Example, case: Mapping[str, Any]) -> Choice:
        """What heads choose among in a case of an example, by the columns of the case."""


class Choice(NamedTuple):
    """What a head chooses among in a case, and what is right: words of the example, from 0.

    `among` is in the order that breaks ties: nearest first, then the left one.
    """

    among: list[int]
    right: frozenset[int]


def nearest_first(words: Iterable[int], word: int) -> list[int]:
    """Words by their distance from one, of two as far the left one first."""
    return sorted(set(words), key=lambda each: (abs(each - word), each))


@dataclass(frozen=True)
class Found:
    """What a metric found in a shard: its partial, and its cases, if it is a predictor."""

    partial: Any
    cases: pa.Table | None


def nullable(values: NDArray[np.float64]) -> pa.Array:
    """A column in which NaN is null."""
    return pa.array(values, mask=np.isnan(values))


def grid(shape: Sequence[int]) -> list[NDArray[np.int64]]:
    """The index of each axis for every cell of an array, flattened."""
    return [axis.ravel() for axis in np.indices(tuple(shape))]
