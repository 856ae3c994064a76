"""Attention of models that the tap cannot stand in for: seen on its way to the values."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from attnray.model import tap


def watch(model: nn.Module, watched: str) -> None:
    """Hand the weights of every module called `watched` to the sink of `tap.tapped`.

    Eager attention passes a dropout of its own between softmax and values, and without training
    that gives back the very tensor it got: what the sink sees is what the model goes on with, a
    layer at a time. (`output_attentions` holds all layers at once, and so late that a gradient
    with respect to them could not be asked for.)
    """
    for module in model.modules():
        if type(module).__name__ == watched:
            dropout = module.dropout
            assert isinstance(dropout, nn.Module)
            dropout.register_forward_hook(_hand_on)


def _hand_on(module: nn.Module, inputs: Any, weights: Tensor) -> None:
    # (Of float32 or more this is the same tensor still, so that a gradient can be asked for.)
    tap.hand_on(weights.to(torch.promote_types(weights.dtype, torch.float32)))
