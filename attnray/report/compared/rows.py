"""The row types of the tables that a comparison makes of several models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DifferenceRow:
    """A row of `differences`: the best heads of one model less those of another, held out."""

    other_model: str
    metric: str
    max_tokens: int | None
    item: str
    total: int
    left_out: int
    other_left_out: int
    heldout_accuracy: float | None
    other_heldout_accuracy: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_holm: float | None


@dataclass(frozen=True)
class MatchRow:
    """A row of `head_matches`: a head of one model with its like of another, both with a role.

    `distance` is that of the two, `mean_distance` that of the head and all heads of the other.
    `p_value` says whether heads without roles would be as near.
    """

    other_model: str
    layer: int
    head: int
    other_layer: int
    other_head: int
    distance: float
    mean_distance: float
    p_value: float
    p_holm: float


@dataclass(frozen=True)
class DepthRow:
    """A row of `behaviours_by_depth`: how many heads of a layer behave in a way."""

    layer: int
    depth: float
    behaviour: str
    heads: int
    share: float
