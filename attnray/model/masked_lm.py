"""A checkpoint with its masked-LM head: the gradient of the loss with respect to attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from numpy import integer
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from attnray.model import tap
from attnray.model.configuration import read_config
from attnray.model.encoder import padded, pretrained
from attnray.model.families import heads_of
from attnray.model.source import Checkpoint, check_device

#: What the classes of checkpoints with such a head are called, and one that is called so without.
WITH_HEAD = ("ForMaskedLM", "ForPreTraining", "WithLMHeadModel")
DISCRIMINATOR = "ElectraForPreTraining"


def has_head(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint has the weights of a masked-LM head.

    (A model with random weights has one where its configuration names such a model.)

    Raises:
        InputError: the checkpoint cannot be read.
    """
    config = read_config(checkpoint)
    if checkpoint.weights is None:
        names = [str(name) for name in config.architectures or ()]
        return any(name.endswith(WITH_HEAD) and name != DISCRIMINATOR for name in names)
    _, lacking = pretrained(AutoModelForMaskedLM, checkpoint, config)
    return not lacking


class MaskedLM:
    """A masked LM in evaluation mode on one device."""

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        check_device(checkpoint, device)
        config = read_config(checkpoint)
        self.layers, self.heads = heads_of(config)
        self._device = torch.device(device)
        model, _ = pretrained(AutoModelForMaskedLM, checkpoint, config)
        self._model = model.to(self._device).eval().requires_grad_(False)

    def gradients(
        self, pieces: Sequence[NDArray[integer]], types: Sequence[NDArray[integer]]
    ) -> list[Tensor]:
        """The gradient of each example's loss with respect to its attention.

        The loss is the cross entropy of an example's own tokens, none of them masked, summed
        over them (definitions: Importance). Examples of a batch do not depend on each other,
        so the gradient of the sum of their losses is that of each.

        Args:
            pieces: the token ids of each example, special tokens included.
            types: the token types of each example.

        Returns:
            For each layer (batch, head, query, key), padded to the longest example; what
            stands at padding queries and keys means nothing.
        """
        inputs = padded(self._model, pieces, types)
        weights: list[Tensor] = []

        def keep(layer: Tensor) -> None:
            # No parameter asks for a gradient: the first layer's weights are where it ends.
            weights.append(layer if layer.requires_grad else layer.requires_grad_())

        with torch.enable_grad(), tap.tapped(keep):
            logits = self._model(**inputs, return_dict=True).logits
            labels = inputs["input_ids"]
            if "attention_mask" in inputs:
                labels = labels.masked_fill(inputs["attention_mask"] == 0, -100)
            loss = nn.functional.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), reduction="sum", ignore_index=-100
            )
            found = torch.autograd.grad(loss, weights)
        if len(found) != self.layers:
            raise RuntimeError(f"{len(found)} gradients came from a model of {self.layers} layers")
        return list(found)
