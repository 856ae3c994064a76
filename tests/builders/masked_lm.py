"""A tiny BERT with a masked-LM head."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertForMaskedLM

LAYERS, HEADS, VOCABULARY = 2, 3, 240


def saved(tiny_model: Path, folder: Path, kind: Any = BertForMaskedLM, tied: bool = True) -> Path:
    """A tiny checkpoint with a head, beside the tokenizer of the tiny model."""
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=24,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
        tie_word_embeddings=tied,
    )
    kind(config).save_pretrained(folder)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        if (tiny_model / name).is_file():
            shutil.copy(tiny_model / name, folder)
    return folder
