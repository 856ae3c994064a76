"""Odd checkpoints: each is refused in one line that names the file and the field, before work."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from attnray.config import Config, CorpusConfig, ExecutorConfig, ModelConfig, StoreConfig
from attnray.errors import InputError
from attnray.model import json_file
from attnray.model.encoder import Encoder
from attnray.model.pieces import WordPieces
from attnray.model.source import locate
from attnray.model.weights import BLOCK
from attnray.stages.planned import Place, plan
from tests.builders.families import FAMILIES, tiny_checkpoint

Change = Callable[[Path], None]
WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint to change."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def refusal(attempt: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        attempt()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def planned(folder: Path, **settings: Any) -> object:
    """A run of the checkpoint, as far as planning goes."""
    config = Config(
        model=ModelConfig(name=None, path=str(folder), **settings),
        corpus=CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu", limit=1),
        store=StoreConfig("log16"),
        executor=ExecutorConfig("serial"),
        metrics=["patterns"],
    )
    return plan(config, "cpu", Place(folder.parent / "runs"))


def refused(folder: Path, **settings: Any) -> str:
    """Why a run of the checkpoint is refused, before anything is planned or measured."""
    message = refusal(lambda: planned(folder, **settings))
    assert not list(folder.parent.glob("runs/*/*"))
    return message


def changed(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def rewritten(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_the_checkpoint_itself_is_planned(folder: Path) -> None:
    planned(folder)
    assert list(folder.parent.glob("runs/*/shards/*.parquet"))


# config.json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field in ("num_hidden_layers", "num_attention_heads", "vocab_size")
          for value in (0, -1, 10**9, 2.5, "2", True, None, [2], {"2": 2}, float("nan"))),
        ("num_attention_heads", 5),
        ("hidden_size", 25),
        ("hidden_size", 10**9),
        ("intermediate_size", -3),
        ("max_position_embeddings", 0),
        ("max_position_embeddings", 2),
        ("max_position_embeddings", 128),
        ("max_position_embeddings", 512),
        ("type_vocab_size", 3),
        ("vocab_size", 50),
        ("vocab_size", 5000),
        ("num_hidden_layers", 1),
        ("num_hidden_layers", 3),
        ("pad_token_id", 5000),
        ("pad_token_id", -1),
        ("pruned_heads", {"0": [1]}),
        ("layer_norm_eps", float("nan")),
        ("layer_norm_eps", -1.0),
        ("initializer_range", float("inf")),
        ("hidden_dropout_prob", "much"),
        ("is_decoder", True),
        ("chunk_size_feed_forward", 7),
        ("num_labels", 10**9),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_named(folder: Path, field: str, value: Any) -> None:
    changed(folder, **{field: value})
    message = refused(folder)
    assert message.startswith(f"{folder / 'config.json'}: ")
    assert field in message


@pytest.mark.parametrize("field", ["num_hidden_layers", "num_attention_heads", "hidden_size"])
def test_sizes_are_bounded_where_new_weights_are_drawn(folder: Path, field: str) -> None:
    changed(folder, **{field: 10**9})
    assert field in refused(folder, random_init=True)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"vocab_size": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"a": "\xff"}', "no JSON"),
        (b"", "no JSON"),
        (b"[1]", "holds no object but a list"),
        (b"null", "holds no object but a NoneType"),
    ],
)
def test_a_config_that_is_none(folder: Path, content: bytes, what: str) -> None:
    (folder / "config.json").write_bytes(content)
    message = refused(folder)
    assert message.startswith(f"{folder / 'config.json'}: ")
    assert what in message


def test_a_large_config_is_not_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MOST_BYTES", 2**20)
    with (folder / "config.json").open("ab") as file:
        file.write(b" " * 2**20)
    assert f"{folder / 'config.json'}: over 1 MB" in refused(folder)


def test_what_only_making_a_model_tells_is_the_configs_fault(folder: Path) -> None:
    changed(folder, hidden_act="unheard-of")
    checkpoint = locate(ModelConfig(name=None, path=str(folder)), 0)
    message = refusal(lambda: Encoder(checkpoint, "cpu"))
    assert message.startswith(f"{folder / 'config.json'}: no model can be made of it")
    assert "unheard-of" in message


# Weights


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_a_weight_that_is_no_number_is_named(folder: Path, kind: torch.dtype, value: float) -> None:
    name = "encoder.layer.1.attention.self.key.bias"

    def change(weights: dict[str, torch.Tensor]) -> None:
        weights |= {each: tensor.to(kind) for each, tensor in weights.items()}
        weights[name][-1] = value

    rewritten(folder, change)
    message = refused(folder)
    assert message.startswith(f"{folder / 'model.safetensors'}: {name} has values that are no num")


def test_the_largest_and_smallest_numbers_are_numbers(folder: Path) -> None:
    def change(weights: dict[str, torch.Tensor]) -> None:
        for kind in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
            most = torch.finfo(kind).max
            ends = torch.tensor([most, -most, 0, -0.0], dtype=torch.float64)
            tiny = torch.tensor([torch.finfo(kind).smallest_normal / 2], dtype=kind)
            weights[f"extra.{kind}"] = torch.cat([ends.to(kind), tiny])
        weights["extra.many"] = torch.full((2 * BLOCK + 3,), 7.5)
        weights["extra.ids"] = torch.full((3,), -1)
        weights["extra.none"] = torch.zeros(0)

    rewritten(folder, change)
    planned(folder)

    def spoiled(weights: dict[str, torch.Tensor]) -> None:
        change(weights)
        weights["extra.many"][-1] = torch.nan

    rewritten(folder, spoiled)
    shutil.rmtree(folder.parent / "runs")
    assert "extra.many" in refused(folder)


def as_bin(folder: Path, weights: Any) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")


def test_a_bin_of_weights_is_checked_too(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    as_bin(folder, weights)
    planned(folder)
    shutil.rmtree(folder.parent / "runs")
    torch.save(weights, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    planned(folder)
    shutil.rmtree(folder.parent / "runs")
    changed(folder, num_hidden_layers=1)
    assert "num_hidden_layers is 1, but in pytorch_model.bin" in refused(folder)
    changed(folder, num_hidden_layers=2)
    weights[WORDS][3, 3] = torch.nan
    torch.save(weights, folder / "pytorch_model.bin")
    assert f"{folder / 'pytorch_model.bin'}: {WORDS} has values" in refused(folder)
    torch.save([1, 2], folder / "pytorch_model.bin")
    assert f"{folder / 'pytorch_model.bin'}: the weights cannot be read" in refused(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_are_counted_in_every_family(tmp_path: Path, family: str) -> None:
    folder = tiny_checkpoint(family, tmp_path / family)
    planned(folder)
    field = "num_hidden_groups" if family == "albert" else "num_hidden_layers"
    content = json.loads((folder / "config.json").read_text())
    own = "n_layers" if "n_layers" in content else field
    changed(folder, **{own: content[own] + 1, "layer_types": None})
    shutil.rmtree(tmp_path / "runs")
    assert f"{folder / 'config.json'}: {own} is {content[own] + 1}, but in" in refused(folder)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lying(path: Path) -> None:
    """A header that is longer than the file."""
    path.write_bytes(b"\xff" * 7 + b"\x00" + path.read_bytes()[8:])


def overlapping(path: Path) -> None:
    """A header whose weights lie over each other."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    names = [name for name in header if name != "__metadata__"]
    header[names[0]]["data_offsets"] = header[names[1]]["data_offsets"]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


def unreadable(path: Path) -> None:
    """A file that is there and gives an error when it is read."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


@pytest.mark.parametrize("damage", [truncated, lying, overlapping, unreadable])
def test_a_damaged_file_of_weights_is_named(folder: Path, damage: Change) -> None:
    if damage is unreadable and not Path("/proc/self/mem").exists():
        pytest.skip("only Linux has such a file")
    damage(folder / "model.safetensors")
    assert refused(folder).startswith(f"{folder / 'model.safetensors'}: ")


# An index


@pytest.fixture
def index(folder: Path) -> Path:
    """The index of the checkpoint in two files."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    parts = {"one.safetensors": list(weights)[:9], "two.safetensors": list(weights)[9:]}
    for name, keys in parts.items():
        save_file({key: weights[key] for key in keys}, folder / name, metadata={"format": "pt"})
    path = folder / "model.safetensors.index.json"
    places = {key: name for name, keys in parts.items() for key in keys}
    path.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return path


def test_every_file_of_an_index_is_looked_through(folder: Path, index: Path) -> None:
    planned(folder)
    weights = load_file(folder / "two.safetensors")
    name = next(iter(weights))
    weights[name].view(-1)[0] = torch.inf
    save_file(weights, folder / "two.safetensors", metadata={"format": "pt"})
    shutil.rmtree(folder.parent / "runs")
    assert f"{folder / 'two.safetensors'}: {name} has values" in refused(folder)


@pytest.mark.parametrize(
    "name",
    ["../secret.safetensors", "{parent}/secret.safetensors", "sub/secret.safetensors", "..", "",
     "secret.bin", "vocab.txt", 7, None, ["one.safetensors"]],
)  # fmt: skip
def test_an_index_names_files_of_its_folder_alone(folder: Path, index: Path, name: Any) -> None:
    for place in (folder.parent / "secret.safetensors", folder / "sub" / "secret.safetensors"):
        place.parent.mkdir(exist_ok=True)
        shutil.copy(folder / "one.safetensors", place)
    content = json.loads(index.read_text())
    name = name.format(parent=folder.parent) if isinstance(name, str) else name
    content["weight_map"] |= dict.fromkeys(load_file(folder / "one.safetensors"), name)
    index.write_text(json.dumps(content))
    message = refused(folder)
    assert message.startswith(f"{index}: weight_map names")


@pytest.mark.parametrize("content", [{}, {"weight_map": {}}, {"weight_map": ["a"]}, [], "x"])
def test_an_index_that_is_none(folder: Path, index: Path, content: Any) -> None:
    index.write_text(json.dumps(content))
    assert refused(folder).startswith(f"{index}: ")


def test_numbers_of_the_layers_do_not_have_to_follow_each_other(folder: Path) -> None:
    """A weight that is missing is the loader's to tell, by its name."""
    rewritten(folder, lambda weights: weights.pop("encoder.layer.0.output.dense.bias"))
    planned(folder)
    checkpoint = locate(ModelConfig(name=None, path=str(folder)), 0)
    message = refusal(lambda: Encoder(checkpoint, "cpu"))
    assert message.startswith(f"{folder / 'model.safetensors'}: 1 weights are missing")
    assert "encoder.layer.0.output.dense.bias" in message


@pytest.mark.parametrize("form", ["safetensors", "bin"])
@pytest.mark.parametrize("kind", [torch.int8, torch.bool])
def test_a_quantized_weight_is_told(folder: Path, form: str, kind: torch.dtype) -> None:
    name = "encoder.layer.0.output.dense.weight"
    weights = load_file(folder / "model.safetensors")
    weights |= {name: weights[name].to(kind), "embeddings.position_ids": torch.arange(9)}
    if form == "bin":
        as_bin(folder, weights)
    else:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert f"{name} is not of floating point" in refused(folder)


def test_a_weight_without_rows_is_told(folder: Path) -> None:
    rewritten(folder, lambda weights: weights.update({WORDS: torch.tensor(1.0)}))
    assert f"vocab_size is 152, but in model.safetensors {WORDS} has the shape ()" in refused(
        folder
    )


def test_a_weight_of_another_shape_is_told_with_both(folder: Path) -> None:
    name = "encoder.layer.0.output.dense.bias"
    rewritten(folder, lambda weights: weights.update({name: torch.zeros(7)}))
    checkpoint = locate(ModelConfig(name=None, path=str(folder)), 0)
    assert f"{name} (of (7,), not (24,))" in refusal(lambda: Encoder(checkpoint, "cpu"))


def test_weights_that_a_model_of_the_configuration_leaves_out_are_told(tmp_path: Path) -> None:
    folder = tiny_checkpoint("modernbert", tmp_path / "tiny", attention_bias=True)
    checkpoint = locate(ModelConfig(name=None, path=str(folder)), 0)
    Encoder(checkpoint, "cpu")
    changed(folder, attention_bias=False)
    message = refusal(lambda: Encoder(checkpoint, "cpu"))
    assert message.startswith(f"{folder / 'config.json'}: a model of it leaves out 8 weights")
    assert "layers.0.attn.Wo.bias" in message


def test_an_adapter_is_told(folder: Path) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({"base_model_name_or_path": "/elsewhere", "peft_type": "LORA"}))
    assert refused(folder).startswith(f"{path}: merge")


# A tokenizer


def retold(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_tokenizer_json_is_taken_as_it_is(folder: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["normalizer"] = {"type": "Replace", "pattern": {"String": "X"}, "content": "the"}
        content["pre_tokenizer"] = {"type": "WhitespaceSplit"}
        content["post_processor"] |= {"single": content["post_processor"]["single"][::-1]}

    retold(folder, change)
    pieces = WordPieces(folder)
    assert [[pieces.spelling(p) for p in word] for word in pieces.split(["X", "a."])] == [
        ["the"],
        ["a", "##."],
    ]
    (first,), (last,) = pieces.single.before, pieces.single.after
    assert (pieces.spelling(first), pieces.spelling(last)) == ("[SEP]", "[CLS]")


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ({"do_lower_case": True}, {"lowercase": False}),
        ({"do_lower_case": False}, {"lowercase": True}),
        ({"strip_accents": False}, {"lowercase": True, "strip_accents": None}),
        ({"tokenize_chinese_chars": False}, {"handle_chinese_chars": True}),
    ],
)
def test_two_files_that_contradict_each_other_are_told(
    folder: Path, said: dict[str, Any], made: dict[str, Any]
) -> None:
    path = folder / "tokenizer_config.json"
    other = {"do_lower_case": None, "strip_accents": None, "tokenize_chinese_chars": None}
    path.write_text(json.dumps({**json.loads(path.read_text()), **other, **said}))
    retold(folder, lambda content: content["normalizer"].update(made))
    message = refused_tokenizer(folder)
    assert message.startswith(f"{path}: {next(iter(said))} is ")
    assert next(iter(made)) in message or "strip_accents" in message
    retold(folder, lambda content: content["normalizer"].update(lowercase=False))
    path.write_text("{}")
    assert WordPieces(folder).split(["The"]) != WordPieces(folder).split(["the"])


def refused_tokenizer(folder: Path) -> str:
    """Why a run with the tokenizer is refused, before anything is measured."""
    message = refusal(lambda: planned(folder))
    assert not list(folder.parent.glob("runs/*/shards/*"))
    return message


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["model"]["vocab"].update(zzz=10**6),
        lambda content: content["post_processor"]["special_tokens"]["[SEP]"].update(ids=[999]),
    ],
)
def test_a_piece_that_the_model_does_not_have_is_told(folder: Path, change: Any) -> None:
    retold(folder, change)
    message = refused_tokenizer(folder)
    assert message.startswith(f"{folder}: the tokenizer has the piece ")
    assert "vocab_size in config.json is 152" in message


def test_an_id_that_no_vocabulary_has_is_told(folder: Path) -> None:
    retold(folder, lambda content: content["model"]["vocab"].update(zzz=2**31))
    assert "tokenizer.json: the piece 'zzz' has an id over" in refused_tokenizer(folder)


def test_a_type_that_the_model_does_not_have_is_told(folder: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for part in content["post_processor"]["single"]:
            next(iter(part.values()))["type_id"] = 2

    retold(folder, change)
    layout = WordPieces(folder).single
    ids = np.array([*layout.before, *layout.after])
    encoder = Encoder(locate(ModelConfig(name=None, path=str(folder)), 0), "cpu")
    attempt = partial(encoder.attention, [ids], [np.full(2, layout.types[0])], print)
    assert "the type 2, but type_vocab_size in config.json is 2" in refusal(attempt)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["post_processor"]["pair"].reverse(),
        lambda content: content["model"].update(unk_token="[NONE]"),
        lambda content: content["model"].update(vocab={}),
        lambda content: content["model"].update(vocab=["a"]),
        lambda content: content.update(model=None),
        lambda content: content.update(post_processor=None),
        lambda content: content["post_processor"].update(special_tokens={}),
        lambda content: content.update(normalizer={"type": "Precompiled"}),
        lambda content: content.update(
            normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}
        ),
        lambda content: content.update(pre_tokenizer={"type": "unheard-of"}),
        lambda content: content.update(added_tokens=7),
    ],
)
def test_a_tokenizer_that_cannot_be_is_told(folder: Path, change: Any) -> None:
    retold(folder, change)
    assert refused_tokenizer(folder).startswith(str(folder))


@pytest.mark.parametrize(
    "content",
    ["[]", "x", "[" * 10_000, '{"do_lower_case": []}', '{"cls_token": 7, "sep_token": [{}]}'],
)
def test_settings_of_a_tokenizer_that_cannot_be(folder: Path, content: str) -> None:
    (folder / "tokenizer_config.json").write_text(content)
    if "cls_token" in content:
        planned(folder)
    else:
        assert refused_tokenizer(folder).startswith(f"{folder / 'tokenizer_config.json'}: ")


@pytest.mark.parametrize("name", ["../other/vocab.txt", "{parent}/other/vocab.txt"])
def test_files_that_a_tokenizers_settings_name_are_not_read(folder: Path, name: str) -> None:
    """Only those in the folder are known by their checksums."""
    (folder / "tokenizer.json").unlink()
    words = ["the", "zyx"]
    expected = WordPieces(folder).split(words)
    other = folder.parent / "other"
    other.mkdir()
    lines = (folder / "vocab.txt").read_text().splitlines()
    (other / "vocab.txt").write_text("\n".join([*lines[:5], *lines[:4:-1]]))
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    given = name.format(parent=folder.parent)
    path.write_text(json.dumps({**settings, "vocab_file": given, "tokenizer_file": given}))
    assert WordPieces(folder).split(words) == expected
    path.write_text(json.dumps({**settings, "fast_tokenizer_files": ["../tokenizer.5.json"]}))
    assert refused_tokenizer(folder).startswith(f"{path}: fast_tokenizer_files")
