"""A loaded checkpoint: batches of token ids in, each layer's attention out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor
from transformers import MODEL_MAPPING, AutoModel, PretrainedConfig

from attnray.errors import InputError
from attnray.model import fallback, tap
from attnray.model.configuration import read_config, unusable
from attnray.model.devices import to_device
from attnray.model.families import FAMILIES, heads_of, longest_input, padding_of
from attnray.model.source import Checkpoint, check_device


class _LastLayer(Exception):  # noqa: N818 (it is no error)
    """All attention has come."""


class Encoder:
    """A model in evaluation mode on one device.

    Raises:
        InputError: weights are missing or do not fit the configuration, or the number type
            needs another device.
    """

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        check_device(checkpoint, device)
        self.config = read_config(checkpoint)
        self.layers, self.heads = heads_of(self.config)
        self._device = torch.device(device)
        self._dtype = getattr(torch, checkpoint.dtype)
        self._model = _load(checkpoint, self.config).to(self._device).eval()

    def attention(
        self,
        pieces: Sequence[NDArray[np.integer]],
        types: Sequence[NDArray[np.integer]],
        sink: Callable[[int, Tensor], None],
    ) -> None:
        """Run one batch and call `sink(layer, weights)` per layer, layers counted from 0.

        Args:
            pieces: the token ids of each example, special tokens included.
            types: the token types of each example.
            sink: takes float32 weights of shape (batch, head, query, key) on the model's
                device, padded to the longest example; padding keys have weight 0 (rows of
                padding queries mean nothing).

        Raises:
            InputError: an example does not fit the model.
            RuntimeError: the model gave another number of maps than it has layers.
        """
        inputs = padded(self._model, pieces, types)
        seen = 0

        def count(weights: Tensor) -> None:
            nonlocal seen
            sink(seen, weights)
            seen += 1
            if seen == self.layers:
                raise _LastLayer

        # What the last layer makes of its attention is of no use here.
        with torch.inference_mode(), self._autocast(), tap.tapped(count), suppress(_LastLayer):
            self._model(**inputs)
        if seen != self.layers:
            raise RuntimeError(f"{seen} attention maps came from a model of {self.layers} layers")

    def _autocast(self) -> Any:
        if self._dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._dtype)


def padded(
    model: Any, pieces: Sequence[NDArray[np.integer]], types: Sequence[NDArray[np.integer]]
) -> dict[str, Tensor]:
    """The inputs of a batch, padded to its longest example: each (batch, token).

    Raises:
        InputError: an example is too long, or has a piece that the model does not know.
    """
    config = model.config
    lengths = np.array([len(ids) for ids in pieces])
    _check(config, int(lengths.max()), max(int(ids.max()) for ids in pieces))
    inside = np.arange(lengths.max()) < lengths[:, None]
    inputs = {"input_ids": np.full(inside.shape, padding_of(config), np.int64)}
    inputs["input_ids"][inside] = np.concatenate(pieces)
    if _tells_types(model):
        inputs["token_type_ids"] = np.zeros(inside.shape, np.int64)
        inputs["token_type_ids"][inside] = np.concatenate(types)
        if (kind := inputs["token_type_ids"].max()) >= config.type_vocab_size:
            raise InputError(
                f"the tokenizer gives pieces the type {kind}, but type_vocab_size in config.json "
                f"is {config.type_vocab_size}: give a checkpoint with its own tokenizer"
            )
    # (Without padding there is nothing to mask, and no mask to add to every score.)
    if not inside.all():
        inputs["attention_mask"] = inside.astype(np.int64)
    return {name: to_device(array, model.device) for name, array in inputs.items()}


def _check(config: PretrainedConfig, length: int, piece: int) -> None:
    if length > longest_input(config):
        raise InputError(f"an example has {length} pieces, the model takes {longest_input(config)}")
    if piece >= config.vocab_size:
        raise InputError(
            f"the tokenizer gave piece {piece}, but the model has {config.vocab_size}: "
            "give a checkpoint with its own tokenizer"
        )


def _tells_types(model: Any) -> bool:
    """Whether a model tells the two texts of a pair apart."""
    takes = "token_type_ids" in inspect.signature(model.forward).parameters
    return takes and getattr(model.config, "type_vocab_size", 0) > 1


def _load(checkpoint: Checkpoint, config: PretrainedConfig) -> torch.nn.Module:
    """The encoder alone; every weight of it must be there."""
    kind: Any = MODEL_MAPPING[type(config)]
    pools = "add_pooling_layer" in inspect.signature(kind).parameters
    options = {"add_pooling_layer": False} if pools else {}
    model, lacking = pretrained(AutoModel, checkpoint, config, **options)
    if lacking:
        raise InputError(
            f"{checkpoint.folder / str(checkpoint.weights)}: {len(lacking)} weights are missing or "
            f"of another shape, {lacking[0]} the first; give a whole checkpoint, or "
            "model.random_init=true"
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

    Its attention goes to the sink of `tap.tapped`.

    Raises:
        InputError: the checkpoint cannot be loaded.
    """
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    watched = FAMILIES[config.model_type].watched
    options |= {
        "attn_implementation": "eager" if watched else tap.NAME,
        "dtype": torch.float32,
    }
    try:
        model, lacking = _made(kind, checkpoint, config, options)
    except (MemoryError, torch.OutOfMemoryError, InputError):
        raise
    except Exception as error:
        raise _blamed(kind, checkpoint, config, options, error) from error
    if watched:
        fallback.watch(model, watched)
    return model, lacking


def _blamed(
    kind: Any,
    checkpoint: Checkpoint,
    config: PretrainedConfig,
    options: dict[str, Any],
    error: Exception,
) -> InputError:
    """Why there is no model: its configuration makes none, or else its weights cannot be loaded."""
    try:
        with torch.device("meta"):
            kind.from_config(config, **options)
    except Exception as reason:
        return unusable(checkpoint.folder / "config.json", "no model can be made of it", reason)
    path = checkpoint.folder / str(checkpoint.weights)
    return unusable(path, "the weights cannot be loaded", error)


def _made(
    kind: Any, checkpoint: Checkpoint, config: PretrainedConfig, options: dict[str, Any]
) -> tuple[torch.nn.Module, list[str]]:
    if checkpoint.weights is None:
        torch.manual_seed(checkpoint.seed or 0)
        return kind.from_config(config, **options), []
    model, report = kind.from_pretrained(
        checkpoint.folder,
        config=config,
        local_files_only=True,
        use_safetensors="safetensors" in checkpoint.weights,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are told by name
        **options,
    )
    blocks = "|".join(part for part, _ in FAMILIES[config.model_type].blocks)
    unused = [n for n in sorted(report["unexpected_keys"]) if re.search(rf"\b({blocks})\.\d", n)]
    if unused:
        raise InputError(
            f"{checkpoint.folder / 'config.json'}: a model of it leaves out {len(unused)} weights "
            f"of {checkpoint.weights}, {unused[0]} the first; give a configuration and weights of "
            "one model"
        )
    shapes = [
        f"{name} (of {tuple(found)}, not {tuple(made)})"
        for name, found, made in report["mismatched_keys"]
    ]
    return model, sorted([*report["missing_keys"], *shapes])
