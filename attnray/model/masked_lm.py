"""A checkpoint with its masked-LM head: the gradient of the loss with respect to attention."""

from __future__ import annotations

from typing import Any, cast

import torch
from numpy import integer
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from attnray.model import tap
from attnray.model.encoder import check_device, padded, pretrained, read_config
from attnray.model.families import family
from attnray.model.source import Checkpoint


def has_head(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint has the weights of a masked-LM head.

    (A model with random weights has one where its configuration names such a model.)

    Raises:
        InputError: the checkpoint cannot be read.
    """
    config = read_config(checkpoint)
    if checkpoint.weights is None:
        return any(str(n).endswith(family(config).heads) for n in config.architectures or ())
    _, lacking = pretrained(AutoModelForMaskedLM, checkpoint, config)
    return not lacking


class MaskedLM:
    """A masked LM in evaluation mode on one device."""

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        check_device(checkpoint, device)
        self._config = config = read_config(checkpoint)
        self.layers = int(config.num_hidden_layers)
        self.heads = int(config.num_attention_heads)
        model, _ = pretrained(AutoModelForMaskedLM, checkpoint, config)
        self._model = cast(Any, model.to(torch.device(device)).eval().requires_grad_(False))
        # No parameter asks for a gradient: what the embeddings give is where it ends.
        self._model.get_input_embeddings().register_forward_hook(_differentiable)

    def gradients(
        self, pieces: list[NDArray[integer]], types: list[NDArray[integer]]
    ) -> list[Tensor]:
        """The gradient of each example's loss with respect to its attention.

        The loss is the cross entropy of an example's own tokens, none of them masked, summed
        over them (contract: Importance). Examples of a batch do not depend on each other, so
        the gradient of the sum of their losses is that of each.

        Args:
            pieces: the token ids of each example, special tokens included.
            types: the token types of each example.

        Returns:
            For each layer (batch, head, query, key), padded to the longest example; what
            stands at padding queries and keys means nothing.
        """
        inputs = padded(pieces, types, self._model, self._config)
        weights: list[Tensor] = []
        with torch.enable_grad():
            if family(self._config).tapped:
                with tap.tapped(weights.append):
                    logits = self._model(**inputs).logits
            else:
                output = self._model(**inputs, output_attentions=True)
                logits, weights = output.logits, list(output.attentions)
            labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
            loss = nn.functional.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), reduction="sum", ignore_index=-100
            )
            found = torch.autograd.grad(loss, weights)
        if len(found) != self.layers:
            raise RuntimeError(f"{len(found)} gradients came from a model of {self.layers} layers")
        return list(found)


def _differentiable(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
    return output.requires_grad_()
