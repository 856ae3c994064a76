"""A loaded checkpoint: batches of token ids in, each layer's attention out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoConfig, AutoModel, PretrainedConfig

from attnray.errors import InputError
from attnray.model import families, tap
from attnray.model.families import FAMILIES, family, padding
from attnray.model.source import Checkpoint


def read_config(checkpoint: Checkpoint) -> PretrainedConfig:
    """The checkpoint's configuration.

    Raises:
        InputError: it cannot be read, or the model type is not supported.
    """
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(
            checkpoint.folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        raise _unusable(checkpoint.folder / "config.json", "cannot be read", error) from error
    if config.model_type not in FAMILIES:
        raise InputError(
            f"{checkpoint.folder}: the model type is {config.model_type}, "
            f"but what is supported is {', '.join(FAMILIES)}"
        )
    return config


def _unusable(path: Path, what: str, error: Exception) -> InputError:
    """Whatever a library finds wrong with a checkpoint's files is a matter of the input."""
    reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
    return InputError(f"{path}: {what} ({reason}); give a whole checkpoint")


def check_device(checkpoint: Checkpoint, device: str) -> None:
    """Refuse a number type that the device does not serve.

    Raises:
        InputError: says which it is.
    """
    if checkpoint.dtype != "float32" and device == "cpu":
        raise InputError(
            f"model.dtype={checkpoint.dtype} needs a GPU: on a CPU use model.dtype=float32"
        )


class Encoder:
    """A model in evaluation mode on one device.

    Raises:
        InputError: weights are missing or do not fit the configuration, or the number type
            needs another device.
    """

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        check_device(checkpoint, device)
        self.config = read_config(checkpoint)
        self.layers = int(self.config.num_hidden_layers)
        self.heads = int(self.config.num_attention_heads)
        self._device = torch.device(device)
        self._dtype = getattr(torch, checkpoint.dtype)
        self._model = _load(checkpoint, self.config).to(self._device).eval()

    def attention(
        self,
        pieces: list[NDArray[np.integer]],
        types: list[NDArray[np.integer]],
        sink: Callable[[int, Tensor], None],
    ) -> None:
        """Run one batch and call `sink(layer, weights)` per layer, layers counted from 0.

        Args:
            pieces: the token ids of each example, special tokens included.
            types: the token types of each example.
            sink: takes float32 weights of shape (batch, head, query, key) on the model's
                device, padded to the longest example; padding keys have weight 0.

        Raises:
            RuntimeError: the model gave another number of maps than it has layers.
        """
        inputs = padded(pieces, types, self._model, self.config)
        seen = 0

        def count(weights: Tensor) -> None:
            nonlocal seen
            sink(seen, weights.float())
            seen += 1

        with torch.inference_mode(), self._autocast():
            if family(self.config).tapped:
                with tap.tapped(count):
                    self._model(**inputs)
            else:
                for weights in self._model(**inputs, output_attentions=True).attentions:
                    count(weights)
        if seen != self.layers:
            raise RuntimeError(f"{seen} attention maps came from a model of {self.layers} layers")

    def _autocast(self) -> Any:
        if self._dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._dtype)


def padded(
    pieces: list[NDArray[np.integer]],
    types: list[NDArray[np.integer]],
    model: Any,
    config: PretrainedConfig,
) -> dict[str, Tensor]:
    """The inputs of a batch that a model takes, padded to its longest example.

    Each is (batch, token), on the model's device.
    """
    longest = max(len(ids) for ids in pieces)
    names = ("input_ids", "token_type_ids", "attention_mask")
    padded = {name: torch.zeros(len(pieces), longest, dtype=torch.long) for name in names}
    padded["input_ids"] += padding(config)
    for row, (ids, kinds) in enumerate(zip(pieces, types, strict=True)):
        padded["input_ids"][row, : len(ids)] = torch.from_numpy(ids)
        if families.has_types(config):
            padded["token_type_ids"][row, : len(ids)] = torch.from_numpy(kinds)
        padded["attention_mask"][row, : len(ids)] = 1
    takes = inspect.signature(model.forward).parameters
    return {name: tensor.to(model.device) for name, tensor in padded.items() if name in takes}


def _load(checkpoint: Checkpoint, config: PretrainedConfig) -> torch.nn.Module:
    """The encoder alone; every weight of it must be there."""
    options = {"add_pooling_layer": False} if family(config).pooling else {}
    model, lacking = pretrained(AutoModel, checkpoint, config, **options)
    if lacking:
        raise InputError(
            f"{checkpoint.folder}: {len(lacking)} weights are missing or of another shape, "
            f"{lacking[0]} the first; give a whole checkpoint, or model.random_init=true"
        )
    return model


def input_embeddings(checkpoint: Checkpoint) -> Tensor:
    """The embedding of every piece of the vocabulary, before positions: (piece, size)."""
    model: Any = _load(checkpoint, read_config(checkpoint))
    weight: Tensor = model.get_input_embeddings().weight
    return weight.detach().clone()


def pretrained(
    kind: Any, checkpoint: Checkpoint, config: PretrainedConfig, **options: Any
) -> tuple[torch.nn.Module, list[str]]:
    """A model of one of the Auto classes, and the names of the weights the checkpoint lacks.

    Raises:
        InputError: the checkpoint cannot be loaded.
    """
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    attention = tap.NAME if family(config).tapped else "eager"
    options |= {"attn_implementation": attention, "dtype": torch.float32}
    try:
        if checkpoint.weights is None:
            torch.manual_seed(checkpoint.seed or 0)
            return kind.from_config(config, **options), []
        model, report = kind.from_pretrained(
            checkpoint.folder,
            config=config,
            local_files_only=True,
            use_safetensors=not checkpoint.weights.endswith(".bin"),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told by name
            **options,
        )
    except Exception as error:
        raise _unusable(checkpoint.folder, "the weights cannot be loaded", error) from error
    return model, sorted([*report["missing_keys"], *(str(k) for k in report["mismatched_keys"])])
