"""A random BERT of 2 layers x 3 heads with a tokenizer of its own, which splits most words."""

from __future__ import annotations

import string
from pathlib import Path


def make_tiny_model(folder: Path) -> None:
    """Write the checkpoint."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir()
    letters = string.ascii_lowercase + string.digits + string.punctuation
    whole = ["the", "a", "of", "and", "to", "she", "he", "it", "was", "her", "his"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters), *whole]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=32,
        max_position_embeddings=256,
        initializer_range=0.5,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
