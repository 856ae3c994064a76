"""Tiny checkpoints of every family: random weights, and a tokenizer of the family's own kind.

The tokenizers are trained on the words of the embedded sample.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

BERT_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
FAIRSEQ_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
ALBERT_TOKENS = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")

VOCABULARY = 600
SIZE = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    # Large, or every head would look everywhere alike and no test could tell two apart.
    "initializer_range": 0.5,
}
WINDOW = 8


@cache
def sample_words() -> list[str]:
    """The words of the embedded sample, in their order."""
    lines = (files("attnray.corpus") / "sample.conllu").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line[:1].isdigit()]
    return [row[1] for row in rows if row[0].isdigit()]


@cache
def word_piece(special: tuple[str, ...]) -> dict[str, int]:
    """A WordPiece vocabulary, lower case."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=list(special), show_progress=False
    )
    tokenizer.train_from_iterator(sample_words(), trainer)
    return dict(tokenizer.get_vocab())


@cache
def byte_pairs(special: tuple[str, ...]) -> Tokenizer:
    """A byte-level BPE; the space before a word is part of its first piece."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((f" {word}" for word in sample_words()), trainer)
    return tokenizer


@cache
def unigrams(special: tuple[str, ...], unknown: str) -> list[tuple[str, float]]:
    """A SentencePiece unigram vocabulary: special tokens first, of score 0 as in real ones."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(special),
        unk_token=unknown,
        show_progress=False,
    )
    tokenizer.train_from_iterator(sample_words(), trainer)
    return [(piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]


def _bert() -> Any:
    return transformers.BertTokenizer(vocab=word_piece(BERT_TOKENS))


def _mpnet() -> Any:
    return transformers.MPNetTokenizer(vocab=word_piece((*FAIRSEQ_TOKENS, "[UNK]")))


def _roberta() -> Any:
    model = json.loads(byte_pairs(FAIRSEQ_TOKENS).to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    return transformers.RobertaTokenizer(vocab=model["vocab"], merges=merges)  # type: ignore[arg-type]


def _modernbert() -> Any:
    tokenizer = byte_pairs(BERT_TOKENS)
    tokenizer.normalizer = normalizers.NFC()
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=ids,
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    special = dict(zip(names, BERT_TOKENS, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


def _xlm_roberta() -> Any:
    return transformers.XLMRobertaTokenizer(vocab=unigrams(FAIRSEQ_TOKENS, "<unk>"))


def _camembert() -> Any:
    special = ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>")
    return transformers.CamembertTokenizer(vocab=unigrams((*special, "<mask>"), "<unk>"))


def _albert() -> Any:
    return transformers.AlbertTokenizer(vocab=unigrams(ALBERT_TOKENS, "<unk>"))


def _deberta() -> Any:
    return transformers.DebertaV2Tokenizer(vocab=unigrams(BERT_TOKENS, "[UNK]"))


#: Of each family its configuration, what it needs beside the common sizes, and its tokenizer.
FAMILIES: dict[str, tuple[str, dict[str, Any], Callable[[], Any]]] = {
    "bert": ("BertConfig", {}, _bert),
    "roberta": ("RobertaConfig", {"type_vocab_size": 1}, _roberta),
    "xlm-roberta": ("XLMRobertaConfig", {"type_vocab_size": 1}, _xlm_roberta),
    "distilbert": ("DistilBertConfig", {}, _bert),
    "electra": ("ElectraConfig", {"embedding_size": 12}, _bert),
    "albert": (
        "AlbertConfig",
        {"embedding_size": 12, "num_hidden_layers": 3},
        _albert,
    ),
    "camembert": ("CamembertConfig", {"type_vocab_size": 1}, _camembert),
    "deberta-v2": (
        "DebertaV2Config",
        {
            "relative_attention": True,
            "position_buckets": 8,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "pos_att_type": "p2c|c2p",
            "position_biased_input": False,
        },
        _deberta,
    ),
    "mpnet": ("MPNetConfig", {}, _mpnet),
    "modernbert": (
        "ModernBertConfig",
        {"local_attention": WINDOW, "num_hidden_layers": 4},
        _modernbert,
    ),
}


def tiny_config(family: str, tokenizer: Any, **values: Any) -> Any:
    """The configuration of a tiny model for a tokenizer."""
    name, own, _ = FAMILIES[family]
    special = {
        f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id")
        for kind in ("pad", "bos", "eos", "cls", "sep")
    }
    settings = {**SIZE, "vocab_size": len(tokenizer), **special, **own, **values}
    return getattr(transformers, name)(**settings)


def tiny_checkpoint(family: str, folder: Path, seed: int = 0, **values: Any) -> Path:
    """Save a tiny masked LM of a family with its tokenizer; `values` go to its configuration."""
    tokenizer = FAMILIES[family][2]()
    torch.manual_seed(seed)
    config = tiny_config(family, tokenizer, **values)
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
