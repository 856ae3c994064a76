"""Arrays and tables in the types that notebooks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from attnray.errors import InputError
from attnray.reading import Weights

if TYPE_CHECKING:
    import xarray

ArrayForm = Literal["numpy", "torch", "xarray"]
TableForm = Literal["arrow", "pandas", "polars"]


def table_as(table: pa.Table, form: TableForm) -> Any:
    """A table as `arrow`, `pandas` or `polars` has it.

    Raises:
        InputError: there is no such type, or its package is not installed.
    """
    if form == "arrow":
        return table
    if form == "pandas":
        _package("pandas")
        return table.to_pandas()
    if form == "polars":
        return _package("polars").from_arrow(table)
    raise InputError(f"as_={form} is not possible: arrow, pandas and polars are")


def labelled(
    weights: Weights, layers: Sequence[int] | int, heads: Sequence[int] | int, texts: Sequence[str]
) -> xarray.DataArray:
    """Weights with the names of their axes, without those of which a number is given.

    Args:
        weights: (layer, head, query, key).
        layers: the numbers of the layers, from 1, or that of the only one.
        heads: the same of heads.
        texts: of the queries, which are the keys.

    Raises:
        InputError: xarray is not installed.
    """
    axes: Mapping[str, Sequence[int] | int] = {"layer": layers, "head": heads}
    dims = [name for name, numbers in axes.items() if not isinstance(numbers, int)]
    places = np.arange(len(texts))
    coords: dict[str, Any] = {**axes, "query": places, "key": places}
    coords |= {f"{side}_text": (side, list(texts)) for side in ("query", "key")}
    made: xarray.DataArray = _package("xarray").DataArray(
        weights, coords, [*dims, "query", "key"], name="attention"
    )
    return made


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"as_={name} needs the package {name}: pip install 'attnray[notebooks]'"
        ) from error
