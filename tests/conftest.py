"""What the tests share: the corpora, and a tiny model with a tokenizer of its own."""

from __future__ import annotations

import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["HF_HUB_OFFLINE"] = "1"
# On a busy machine anything may take long; CI, where CI is set, tries the same cases each time.
settings.register_profile(
    "attnray",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("attnray")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real corpora that ATTNRAY_SHARED names; skips where it is not set."""
    folder = os.environ.get("ATTNRAY_SHARED")
    if not folder:
        pytest.skip("ATTNRAY_SHARED is not set")
    return Path(folder) / "corpora"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder: a random BERT of 2 layers x 3 heads that splits most words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    letters = string.ascii_lowercase + string.digits + string.punctuation
    whole = ["the", "a", "of", "and", "to", "she", "he", "it", "was", "her", "his"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters), *whole]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
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
    return folder
