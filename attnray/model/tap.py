"""The attention tap: every layer's attention weights, handed on as they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

NAME = "attnray"

#: Takes one layer's weights, float32, shape (batch, head, query, key).
Sink = Callable[[Tensor], None]

_sink: ContextVar[Sink | None] = ContextVar("sink", default=None)


@contextmanager
def tapped(sink: Sink) -> Iterator[None]:
    """While it is open, a model loaded with `attn_implementation=NAME` calls `sink` per layer."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def hand_on(weights: Tensor) -> None:
    """Give one layer's weights to the sink that is open here, if one is."""
    sink = _sink.get()
    if sink is not None:
        sink(weights)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Attention as the eager implementation computes it, with the softmax in float32 at least."""
    scores = torch.matmul(query, key.transpose(2, 3))
    scores = scores * (query.size(-1) ** -0.5 if scaling is None else scaling)
    if attention_mask is not None:
        scores = scores + attention_mask
    precision = torch.promote_types(scores.dtype, torch.float32)
    weights = nn.functional.softmax(scores, dim=-1, dtype=precision)
    hand_on(weights)
    output = torch.matmul(weights.to(value.dtype), value)
    return output.transpose(1, 2).contiguous(), weights


def mask(**arguments: Any) -> Tensor:
    """What is added to the scores of a batch with padding.

    (To see that there is none, eager attention would wait for the GPU: the encoder knows.)
    """
    arguments["allow_is_bidirectional_skip"] = arguments.get("attention_mask") is None
    made: Tensor = eager_mask(**arguments)
    return made


# The mask is registered too: without one of its name, padding would take attention.
AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, mask)
