"""What differs between the families of encoders, by model type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PretrainedConfig


@dataclass(frozen=True)
class Family:
    """How the models of one type are loaded and fed.

    `watched` names the modules that compute attention where it does not pass through
    transformers' attention interface, so that the tap cannot stand in (see `fallback`).
    `positions_after_padding`: positions are counted from the padding id on, and so many fewer
    fit. `padding` is the padding id where the model's code fixes it, whatever its configuration
    says. `blocks` has the parts that weights number, and the field that says how many there are.
    """

    watched: str | None = None
    positions_after_padding: bool = False
    padding: int | None = None
    blocks: tuple[tuple[str, str], ...] = (("layer", "num_hidden_layers"),)


#: The model types that the tests show to give what an eager run gives.
FAMILIES = {
    "albert": Family(
        blocks=(
            ("albert_layer_groups", "num_hidden_groups"),
            ("albert_layers", "inner_group_num"),
        )
    ),
    "bert": Family(),
    "camembert": Family(positions_after_padding=True),
    "deberta-v2": Family(watched="DisentangledSelfAttention"),  # DeBERTa v3 is of this type too
    "distilbert": Family(),
    "electra": Family(),
    "modernbert": Family(blocks=(("layers", "num_hidden_layers"),)),
    "mpnet": Family(watched="MPNetSelfAttention", positions_after_padding=True, padding=1),
    "roberta": Family(positions_after_padding=True),
    "xlm-roberta": Family(positions_after_padding=True),
}


#: A word with the special tokens around it.
SHORTEST = 3
#: The weights of a masked-LM head have one of these in their names, and no others have.
HEAD_WEIGHTS = ("predictions", "lm_head", "vocab_", "head.", "decoder.")


def may_have_head(weights: Iterable[str] | None) -> bool:
    """Whether a checkpoint with weights of these names, if known, can have a masked-LM head."""
    return weights is None or any(mark in name for name in weights for mark in HEAD_WEIGHTS)


def unsupported(kind: object) -> str | None:
    """Why a model of this type cannot be had, None where it can."""
    if kind in (*FAMILIES,):
        return None
    return f"the model type is {kind!s:.50}, but only {', '.join(FAMILIES)} are supported"


def why_not(config: PretrainedConfig) -> str | None:
    """Why a model of this configuration cannot be had, None where it can."""
    if reason := unsupported(config.model_type):
        return reason
    if getattr(config, "is_decoder", False):
        return "is_decoder is true, but only encoders are supported"
    positions = getattr(config, "position_embedding_type", "absolute")
    if positions not in ("absolute", None):
        # transformers 5 knows no other and would leave these weights out without a word.
        return f"position_embedding_type is {positions}, but only absolute is supported"
    if FAMILIES[config.model_type].positions_after_padding and config.pad_token_id is None:
        return "pad_token_id is missing, but positions are counted from it"
    if config.hidden_size % config.num_attention_heads:
        return (
            f"hidden_size is {config.hidden_size}, of which num_attention_heads, "
            f"{config.num_attention_heads}, is no divisor"
        )
    if config.pad_token_id is not None and not 0 <= config.pad_token_id < config.vocab_size:
        return (
            f"pad_token_id is {config.pad_token_id}, but there are embeddings of 0 to "
            f"{config.vocab_size - 1}"
        )
    if longest_input(config) < SHORTEST:
        return f"max_position_embeddings is {config.max_position_embeddings}: no example fits"
    return None


def padding_of(config: PretrainedConfig) -> int:
    """The id that pads examples."""
    fixed = FAMILIES[config.model_type].padding
    return int(fixed if fixed is not None else config.pad_token_id or 0)


def longest_input(config: PretrainedConfig) -> int:
    """The most pieces the model accepts, special tokens included.

    DeBERTa's relative positions have no end, but none further apart was trained.
    """
    taken = padding_of(config) + 1 if FAMILIES[config.model_type].positions_after_padding else 0
    return int(config.max_position_embeddings) - taken


def heads_of(config: PretrainedConfig) -> tuple[int, int]:
    """How many layers there are, as far as attention goes, and how many heads in each."""
    return layers_of(config), int(config.num_attention_heads)


def width_of(config: PretrainedConfig) -> int:
    """The size of the vectors that layers pass on."""
    return int(config.hidden_size)


def layers_of(config: PretrainedConfig) -> int:
    """How often attention is computed; ALBERT's layers share weights and can be groups of some."""
    return int(config.num_hidden_layers) * int(getattr(config, "inner_group_num", 1))
