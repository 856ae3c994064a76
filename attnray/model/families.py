"""The families of encoders: what differs between them, as far as attention is concerned."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PretrainedConfig


@dataclass(frozen=True)
class Family:
    """What a model type needs.

    `tapped`: its layers pass through the tap, as the tests show; else attention comes from
    the eager implementation, of all layers at once. `pooling`: it takes `add_pooling_layer`,
    which is not wanted. `positions_after_padding`: its positions start behind the id that
    pads. `heads`: the endings of names of classes that have a masked-LM head.
    """

    tapped: bool = True
    pooling: bool = False
    positions_after_padding: bool = False
    heads: tuple[str, ...] = ("ForMaskedLM",)


_ROBERTA = Family(pooling=True, positions_after_padding=True)
FAMILIES = {
    "albert": Family(pooling=True, heads=("ForMaskedLM", "ForPreTraining")),
    "bert": Family(pooling=True, heads=("ForMaskedLM", "ForPreTraining")),
    "camembert": _ROBERTA,
    "deberta-v2": Family(tapped=False),
    "distilbert": Family(),
    "electra": Family(),
    "modernbert": Family(),
    "mpnet": Family(tapped=False, pooling=True, positions_after_padding=True),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
}


def family(config: PretrainedConfig) -> Family:
    """The family of a model of a known type."""
    return FAMILIES[str(config.model_type)]


def padding(config: PretrainedConfig) -> int:
    """The id that pads: some families number positions by it."""
    return int(config.pad_token_id or 0)


def longest_input(config: PretrainedConfig) -> int:
    """The most pieces the model accepts, special tokens included."""
    most = int(config.max_position_embeddings)
    return most - padding(config) - 1 if family(config).positions_after_padding else most


def has_types(config: PretrainedConfig) -> bool:
    """Whether the model tells the texts of a pair apart."""
    return int(getattr(config, "type_vocab_size", 0)) > 1
