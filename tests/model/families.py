"""Tiny checkpoints of every family: random weights, and a tokenizer of the family's own kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from attnray.config import CorpusConfig
from attnray.corpus.conllu import read_conllu
from attnray.corpus.readers import files

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "initializer_range": 0.3,
}
BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
#: Each family: its tokenizer, and what its configuration says beside the sizes.
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertTokenizer", {}),
    "distilbert": ("BertTokenizer", {}),
    "electra": ("BertTokenizer", {"embedding_size": 16}),
    "mpnet": ("MPNetTokenizer", {"max_position_embeddings": 66}),
    "roberta": ("RobertaTokenizer", {"max_position_embeddings": 66, "type_vocab_size": 1}),
    "modernbert": (
        "bytes",
        {
            "max_position_embeddings": 64,
            "local_attention": 8,
            "global_attn_every_n_layers": 3,
            "initializer_cutoff_factor": 3.0,
        },
    ),
    "xlm-roberta": ("XLMRobertaTokenizer", {"max_position_embeddings": 66, "type_vocab_size": 1}),
    "camembert": ("CamembertTokenizer", {"max_position_embeddings": 66, "type_vocab_size": 1}),
    "albert": ("AlbertTokenizer", {"embedding_size": 16}),
    "deberta-v2": (
        "DebertaV2Tokenizer",
        {
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 8,
            "share_att_key": True,
            "norm_rel_ebd": "layer_norm",
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
    ),
}


def tiny_checkpoint(family: str, folder: Path, seed: int = 0, head: bool = False) -> Path:
    """Save a tiny checkpoint of a family; `head`: with its masked-LM head.

    Args:
        family: the model type.
        folder: where to.
        seed: of the weights.
        head: whether it is a masked LM.
    """
    tokenizer = _tokenizer(FAMILIES[family][0])
    tokenizer.save_pretrained(folder)
    config = _config(family, tokenizer)
    kind = transformers.AutoModelForMaskedLM if head else transformers.AutoModel
    torch.manual_seed(seed)
    kind.from_config(config).save_pretrained(folder)
    return folder


def _config(family: str, tokenizer: Any) -> Any:
    sizes = {"max_position_embeddings": 64, **SIZES, **FAMILIES[family][1]}
    if family == "distilbert":
        names = {"hidden_size": "dim", "num_hidden_layers": "n_layers"}
        names |= {"num_attention_heads": "n_heads", "intermediate_size": "hidden_dim"}
        sizes = {names.get(name, name): value for name, value in sizes.items()}
    return transformers.AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        **sizes,
    )


def words() -> list[list[str]]:
    """The sentences of the sample."""
    (path,) = files(CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu"))
    return [s.words for document in read_conllu(path) for s in document.sentences]


def _tokenizer(kind: str) -> Any:
    text = [" ".join(sentence) for sentence in words()]
    if kind in ("BertTokenizer", "MPNetTokenizer"):
        special = BERT_SPECIAL if kind == "BertTokenizer" else ["<s>", "<pad>", "</s>", "[UNK]"]
        special = [*special, "<mask>"] if kind == "MPNetTokenizer" else special
        trained = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=600, special_tokens=special, show_progress=False
        )
        trained.train_from_iterator([line.lower() for line in text], trainer)
        return getattr(transformers, kind)(vocab=trained.get_vocab())
    if kind in ("RobertaTokenizer", "bytes"):
        special = ROBERTA_SPECIAL if kind == "RobertaTokenizer" else BERT_SPECIAL
        trained = Tokenizer(models.BPE())
        trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=700,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        trained.train_from_iterator(text, trainer)
        return _roberta(trained) if kind == "RobertaTokenizer" else _modernbert(trained)
    return _unigram(kind, text)


def _roberta(trained: Tokenizer) -> Any:
    content = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in content["merges"]]
    return transformers.RobertaTokenizer(vocab=content["vocab"], merges=merges)


def _modernbert(trained: Tokenizer) -> Any:
    """As its checkpoints have it: no class of its own, a template for [CLS] and [SEP]."""
    ids = [(token, trained.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    trained.decoder = decoders.ByteLevel()
    trained.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=trained,
        model_input_names=["input_ids", "attention_mask"],
        **dict(zip(names, BERT_SPECIAL, strict=True)),
    )


def _unigram(kind: str, text: list[str]) -> Any:
    special = {
        "XLMRobertaTokenizer": ["<s>", "<pad>", "</s>", "<unk>"],
        "CamembertTokenizer": ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>"],
        "AlbertTokenizer": ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"],
        "DebertaV2Tokenizer": ["[PAD]", "[CLS]", "[SEP]", "[UNK]"],
    }[kind]
    unknown = "[UNK]" if "[UNK]" in special else "<unk>"
    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=500, special_tokens=special, unk_token=unknown, show_progress=False
    )
    trained.train_from_iterator(text, trainer)
    pieces = [(piece, score) for piece, score in json.loads(trained.to_str())["model"]["vocab"]]
    return getattr(transformers, kind)(vocab=pieces)
