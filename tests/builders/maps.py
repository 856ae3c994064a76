"""Attention by the encoder, and by a plain eager model that shares no code with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from attnray.config import ModelConfig
from attnray.model.encoder import Encoder
from attnray.model.source import locate

Maps = NDArray[np.float32]


def load(folder: Path) -> Encoder:
    """The encoder of a checkpoint folder."""
    return Encoder(locate(ModelConfig(path=str(folder)), 0), "cpu")


def batch(
    encoder: Encoder, ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None = None
) -> Maps:
    """The weights of one batch, (example, layer, head, query, key), padding included."""
    layers: list[Maps] = []

    def keep(layer: int, weights: torch.Tensor) -> None:
        assert layer == len(layers)
        layers.append(weights.numpy().copy())

    kinds = [np.zeros(len(one), np.int64) for one in ids] if types is None else types
    encoder.attention([np.array(one) for one in ids], [np.array(kind) for kind in kinds], keep)
    return np.stack(layers, axis=1)


def single(folder: Path, ids: Sequence[int]) -> Maps:
    """The weights of one example by the encoder, (layer, head, query, key)."""
    return np.asarray(batch(load(folder), [ids])[0])


def eager_model(folder: Path) -> Any:
    """The checkpoint with the eager implementation, without the encoder's loading code."""
    from transformers import AutoModel

    return AutoModel.from_pretrained(
        folder, attn_implementation="eager", add_pooling_layer=False, local_files_only=True
    ).eval()


def eager(model: Any, ids: Sequence[int], types: Sequence[int] | None = None) -> Maps:
    """The weights of one example by an eager model, (layer, head, query, key)."""
    kinds = torch.tensor([types if types is not None else [0] * len(ids)])
    with torch.no_grad():
        output = model(torch.tensor([ids]), token_type_ids=kinds, output_attentions=True)
    return np.concatenate([layer.numpy() for layer in output.attentions])
