"""An example as `run[7]` gives it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, overload

from attnray.errors import InputError
from attnray.interface.forms import ArrayForm, labelled
from attnray.interface.plot import Plot, plot
from attnray.interface.shown import table
from attnray.reading import StoredExample, Weights

if TYPE_CHECKING:
    import torch
    import xarray


class Example(StoredExample):
    """An example of a run: its words and tokens, what is annotated, and its attention.

    Words and tokens count from 0, layers and heads from 1. `words`, `heads` (the number of the
    word that each depends on, from 1 as in CoNLL-U: 0 the root, -1 unknown) and `relations` have
    an entry a word; `tokens`, special ones included, and `word_of_piece` (-1: special) one a token;
    `mentions` are those of entities. `document` and `sentence` say where it is from.

    >>> example = run[7]
    >>> example
    <example 7 of 01-news: The company declined to comment . (6 words, 8 tokens)>
    >>> list(zip(example.words, example.relations, example.heads))[:3]
    [('The', 'det', 2), ('company', 'nsubj', 3), ('declined', 'root', 0)]
    >>> example.attention(words=True).shape
    (6, 12, 6, 6)
    """

    @overload
    def attention(
        self,
        layer: int | None = None,
        head: int | None = None,
        words: bool = False,
        merge: str = "mean",
        as_: Literal["numpy"] = "numpy",
    ) -> Weights: ...

    @overload
    def attention(
        self,
        layer: int | None = None,
        head: int | None = None,
        words: bool = False,
        merge: str = "mean",
        *,
        as_: Literal["torch"],
    ) -> torch.Tensor: ...

    @overload
    def attention(
        self,
        layer: int | None = None,
        head: int | None = None,
        words: bool = False,
        merge: str = "mean",
        *,
        as_: Literal["xarray"],
    ) -> xarray.DataArray: ...

    def attention(
        self,
        layer: int | None = None,
        head: int | None = None,
        words: bool = False,
        merge: str = "mean",
        as_: ArrayForm = "numpy",
    ) -> Any:
        """Its attention weights, reading only the chunks they lie in.

        Args:
            layer: counted from 1; all of them by default.
            head: counted from 1; all of them by default.
            words: between words (section 4.1 of the paper) rather than tokens.
            merge: with `words`, attention from a word: mean, first or max over its pieces.
            as_: numpy, torch or xarray. The last has the axes `layer`, `head` (from 1), `query` and
                `key` (from 0), and the words or tokens as `query_text` and `key_text`.

        Returns:
            Weights of shape (layer, head, query, key), float64, without the axis of a layer or head
            that was chosen.

        Raises:
            InputError: there is no such layer, head, merge or type, this example's attention is
                not stored, or xarray is not installed.
        """
        weights = super().attention(layer, head, words, merge)
        if as_ == "numpy":
            return weights
        if as_ == "torch":
            import torch

            return torch.from_numpy(weights)
        if as_ != "xarray":
            raise InputError(f"as_={as_} is not possible: numpy, torch and xarray are")
        layers, heads = self._stored()[0].heads
        axes = (layer or range(1, layers + 1), head or range(1, heads + 1))
        return labelled(weights, *axes, self.words if words else self.tokens)

    def plot(
        self,
        layer: int,
        head: int,
        merge: str = "mean",
        arcs: Iterable[tuple[int, int]] = (),
        label: str = "",
    ) -> Plot:
        """The attention of a head, drawn: a notebook shows it, `.save(path)` writes a page.

        Args:
            layer: counted from 1.
            head: counted from 1.
            merge: attention from a word: mean, first or max over its pieces.
            arcs: pairs of words, from 0, that are drawn beside: from the attending word to the
                attended one.
            label: what these are.

        Raises:
            InputError: there is no such layer, head or merge, or this example's attention is not
                stored.
        """
        return plot(self, layer, head, merge, arcs, label)

    def _repr_html_(self) -> str:
        named = [f"{number} {word}" for number, word in enumerate(self.words)]
        governors = [named[head - 1] if head > 0 else "" for head in self.heads]
        rows = zip(named, self.relations, governors, strict=True)
        return table(repr(self), ("word", "relation", "head word"), rows, len(named))
