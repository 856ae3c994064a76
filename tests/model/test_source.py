"""Checkpoints: found, checked, fingerprinted and loaded, or refused in one clear line."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import attnray
from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.configuration import read_config
from attnray.model.encoder import Encoder
from attnray.model.families import longest_input
from attnray.model.pieces import WordPieces
from attnray.model.source import Checkpoint, locate
from attnray.store.files import fingerprint
from tests.builders.maps import Maps, batch, single

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
IDS = [2, 5, 60, 17, 33, 3]
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint to change."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


@pytest.fixture(scope="module")
def expected(tiny_model: Path) -> Maps:
    """The attention of the tiny checkpoint as it is."""
    return single(tiny_model, IDS)


def at(folder: Path, **settings: Any) -> Checkpoint:
    return locate(ModelConfig(path=str(folder), **settings), 0)


def refusal(attempt: Callable[[], object]) -> str:
    """The message of the InputError that an attempt ends with; it must be one line."""
    with pytest.raises(InputError) as caught:
        attempt()
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(folder / "model.safetensors"))


def write_weights(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def as_bin(folder: Path) -> None:
    weights = weights_of(folder)
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")


# Finding


def test_a_packaged_model_is_found_by_its_hub_name() -> None:
    checkpoint = locate(ModelConfig(hub=MINILM, name=None), 0)
    assert checkpoint.name == "all-MiniLM-L6-v2"
    assert checkpoint.commit is None
    assert (checkpoint.weights, checkpoint.seed) == ("model.safetensors", None)
    assert set(checkpoint.files) >= {"config.json", "tokenizer.json", "model.safetensors"}
    assert longest_input(read_config(checkpoint)) == 512


def test_files_have_their_sha256(tiny_model: Path) -> None:
    files = at(tiny_model).files
    assert set(files) == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
    for name, digest in files.items():
        assert digest == hashlib.sha256((tiny_model / name).read_bytes()).hexdigest()


def test_a_matching_checksum_is_accepted() -> None:
    found = locate(ModelConfig(hub=MINILM, name="minilm"), 0).files["model.safetensors"]
    pinned = {"model.safetensors": found}
    assert locate(ModelConfig(hub=MINILM, name="minilm", checksums=pinned), 0).name == "minilm"


def test_a_checksum_mismatch_names_the_file_and_both_sums() -> None:
    checkpoint = locate(ModelConfig(hub=MINILM, name="minilm"), 0)
    config = ModelConfig(hub=MINILM, name="minilm", checksums={"model.safetensors": "0" * 64})
    message = refusal(lambda: locate(config, 0))
    assert str(checkpoint.folder / "model.safetensors") in message
    assert checkpoint.files["model.safetensors"] in message
    assert "0" * 64 in message


def test_a_pinned_file_that_is_missing_is_named() -> None:
    config = ModelConfig(hub=MINILM, name="minilm", checksums={"extra.json": "0" * 64})
    message = refusal(lambda: locate(config, 0))
    assert "extra.json" in message
    assert "no such file" in message


def test_a_path_takes_nothing_of_the_default_model(tiny_model: Path) -> None:
    checkpoint = at(
        tiny_model, hub=MINILM, name="minilm", checksums={"model.safetensors": "0" * 64}
    )
    assert (checkpoint.name, checkpoint.folder) == ("tiny", tiny_model)
    assert checkpoint.commit is None


@pytest.mark.parametrize("path", [".", "../tiny", "../tiny/"])
def test_the_name_is_that_of_the_folder_however_it_is_written(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tiny_model)
    assert locate(ModelConfig(path=path), 0).name == "tiny"


@pytest.mark.parametrize("name", ["a\udcff", "a\nb", "\u202e"])
def test_a_name_that_cannot_be_written_is_an_error(
    tiny_model: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / name))
    assert repr(name) in refusal(lambda: at(folder))


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    message = refusal(lambda: at(tmp_path / "nowhere"))
    assert str(tmp_path / "nowhere") in message
    assert "no such folder" in message


def test_a_file_is_not_a_checkpoint_folder(tiny_model: Path) -> None:
    assert "no such folder" in refusal(lambda: at(tiny_model / "config.json"))


def test_a_missing_config_is_an_error(folder: Path) -> None:
    (folder / "config.json").unlink()
    message = refusal(lambda: at(folder))
    assert str(folder) in message
    assert "no config.json" in message


def test_missing_weights_are_an_error_that_says_what_to_do(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    message = refusal(lambda: at(folder))
    assert str(folder) in message
    assert "no weights" in message
    assert "model.random_init=true" in message


def test_neither_path_nor_hub_is_an_error() -> None:
    message = refusal(lambda: locate(ModelConfig(name="x"), 0))
    assert "model.path" in message
    assert "model.hub" in message


# The identity


def test_the_identity_is_that_of_the_content_and_not_of_the_place(
    tiny_model: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(tiny_model, tmp_path / "tiny"))
    assert at(other).identity() == at(tiny_model).identity()
    assert len(fingerprint(at(other).identity())) == 16


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_the_identity_changes_with_each_file(folder: Path, name: str) -> None:
    before = at(folder).identity()
    with (folder / name).open("ab") as file:
        file.write(b" ")
    assert at(folder).identity() != before


def test_the_identity_changes_with_the_number_type(tiny_model: Path) -> None:
    assert at(tiny_model, dtype="bfloat16").identity() != at(tiny_model).identity()


def test_whatever_changes_the_pieces_changes_the_identity(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    before, pieces = at(folder).identity(), WordPieces(folder).split(["zyx"])
    size = len((folder / "vocab.txt").read_text().splitlines())
    (folder / "added_tokens.json").write_text(json.dumps({"zyx": size}))
    assert WordPieces(folder).split(["zyx"]) != pieces
    assert at(folder).identity() != before


# New weights


def test_random_init_is_named_after_its_seed(tiny_model: Path) -> None:
    checkpoint = locate(ModelConfig(path=str(tiny_model), random_init=True), 7)
    assert (checkpoint.name, checkpoint.seed) == ("tiny-random-7", 7)
    twin = ModelConfig(hub=MINILM, name="minilm", random_init=True, checksums={"x": "0"})
    assert locate(twin, 3).name == "minilm-random-3"


def test_random_init_needs_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    checkpoint = at(folder, random_init=True)
    assert checkpoint.weights is None
    assert set(checkpoint.files) == {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
    assert batch(Encoder(checkpoint, "cpu"), [IDS]).shape == (1, 2, 3, len(IDS), len(IDS))


def random_maps(folder: Path, seed: int) -> Maps:
    checkpoint = locate(ModelConfig(path=str(folder), random_init=True), seed)
    return batch(Encoder(checkpoint, "cpu"), [IDS])


def test_the_seed_decides_the_new_weights(tiny_model: Path, expected: Maps) -> None:
    first = random_maps(tiny_model, 0)
    torch.rand(5)
    np.testing.assert_array_equal(random_maps(tiny_model, 0), first)
    other = random_maps(tiny_model, 1)
    assert not np.array_equal(other, first)
    assert not np.array_equal(other[0], expected)


def test_two_seeds_have_two_identities(tiny_model: Path) -> None:
    config = ModelConfig(path=str(tiny_model), random_init=True)
    assert locate(config, 0).identity() != locate(config, 1).identity()


def test_new_weights_are_float32_whatever_the_config_says(folder: Path, tiny_model: Path) -> None:
    change_config(folder, dtype="float16")
    np.testing.assert_array_equal(random_maps(folder, 0), random_maps(tiny_model, 0))


# Weights of every form


def test_a_bin_checkpoint_gives_the_same_attention(folder: Path, expected: Maps) -> None:
    as_bin(folder)
    assert at(folder).weights == "pytorch_model.bin"
    assert "pytorch_model.bin" in at(folder).files
    np.testing.assert_array_equal(single(folder, IDS), expected)


def test_safetensors_come_before_a_bin(folder: Path, expected: Maps) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"not weights")
    assert at(folder).weights == "model.safetensors"
    assert "pytorch_model.bin" not in at(folder).files
    np.testing.assert_array_equal(single(folder, IDS), expected)


class Malice:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def write_zipped(path: Path, content: object) -> None:
    torch.save(content, path)


def write_plain(path: Path, content: object) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize("write", [write_zipped, write_plain])
def test_a_bin_that_carries_code_is_refused_and_does_not_run(
    folder: Path, tmp_path: Path, write: Callable[[Path, object], None]
) -> None:
    content = {**weights_of(folder), "malice": Malice(tmp_path / "ran")}
    (folder / "model.safetensors").unlink()
    write(folder / "pytorch_model.bin", content)
    with pytest.raises(Exception):  # noqa: B017, PT011 (the kind of error is the next test's)
        single(folder, IDS)
    assert not (tmp_path / "ran").exists()
    assert str(folder) in refusal(lambda: single(folder, IDS))


def save_shards(tiny_model: Path, folder: Path) -> None:
    from transformers import BertModel

    (folder / "model.safetensors").unlink()
    model = BertModel.from_pretrained(tiny_model, add_pooling_layer=False)
    model.save_pretrained(folder, max_shard_size="20KB")


def test_sharded_weights_load_and_are_all_in_the_fingerprint(
    tiny_model: Path, folder: Path, expected: Maps
) -> None:
    save_shards(tiny_model, folder)
    shards = sorted(path.name for path in folder.glob("model-*.safetensors"))
    checkpoint = at(folder)
    assert len(shards) > 1
    assert checkpoint.weights == "model.safetensors.index.json"
    assert set(checkpoint.files) >= {*shards, "model.safetensors.index.json"}
    np.testing.assert_array_equal(single(folder, IDS), expected)


def test_shards_of_any_name_are_in_the_fingerprint(folder: Path, expected: Maps) -> None:
    weights = weights_of(folder)
    (folder / "model.safetensors").unlink()
    parts = {"first.safetensors": list(weights)[:9], "second.safetensors": list(weights)[9:]}
    for name, keys in parts.items():
        save_file({key: weights[key] for key in keys}, folder / name, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {key: n for n, keys in parts.items() for key in keys}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    np.testing.assert_array_equal(single(folder, IDS), expected)
    assert set(at(folder).files) >= set(parts)


def test_a_missing_shard_is_an_error(tiny_model: Path, folder: Path) -> None:
    save_shards(tiny_model, folder)
    gone = sorted(folder.glob("model-*.safetensors"))[1]
    gone.unlink()
    assert gone.name in refusal(lambda: single(folder, IDS))


def test_weights_with_the_names_of_old_checkpoints_load(folder: Path, expected: Maps) -> None:
    def old(name: str) -> str:
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        return "bert." + name.replace("LayerNorm.bias", "LayerNorm.beta")

    weights = {old(name): tensor for name, tensor in weights_of(folder).items()}
    write_weights(folder, {**weights, "bert.embeddings.position_ids": torch.arange(256)[None]})
    np.testing.assert_array_equal(single(folder, IDS), expected)


def test_half_precision_weights_are_computed_with_in_float32(folder: Path) -> None:
    halves = {name: tensor.half() for name, tensor in weights_of(folder).items()}
    write_weights(folder, {name: tensor.float() for name, tensor in halves.items()})
    wide = single(folder, IDS)
    write_weights(folder, halves)
    change_config(folder, dtype="float16")
    np.testing.assert_array_equal(single(folder, IDS), wide)


# Weights with a head


@pytest.fixture(scope="module")
def with_heads(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The tiny checkpoint saved as a masked LM, and as a classifier."""
    from transformers import BertForMaskedLM, BertForSequenceClassification

    folders = []
    for kind in (BertForMaskedLM, BertForSequenceClassification):
        folder = tmp_path_factory.mktemp("heads") / kind.__name__
        model = kind.from_pretrained(tiny_model)
        model.save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(tiny_model / name, folder)
        folders.append(folder)
    return folders


def test_a_checkpoint_with_another_head_loads_as_an_encoder(
    with_heads: list[Path], expected: Maps
) -> None:
    for folder in with_heads:
        assert any(name.startswith(("cls.", "classifier.")) for name in weights_of(folder))
        np.testing.assert_array_equal(single(folder, IDS), expected)


@pytest.mark.slow
def test_loading_prints_nothing_and_warns_of_nothing(
    with_heads: list[Path], tiny_model: Path
) -> None:
    code = (
        "import sys\n"
        "from attnray.config import ModelConfig\n"
        "from attnray.model.encoder import Encoder\n"
        "from attnray.model.source import locate\n"
        "for path in sys.argv[1:]:\n"
        "    Encoder(locate(ModelConfig(path=path), 0), 'cpu')\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, *map(str, [tiny_model, *with_heads])]
    root = Path(attnray.__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Weights and configurations that do not serve


def test_a_missing_weight_is_named(folder: Path) -> None:
    weights = weights_of(folder)
    del weights[WORD_EMBEDDINGS]
    write_weights(folder, weights)
    message = refusal(lambda: single(folder, IDS))
    assert str(folder) in message
    assert WORD_EMBEDDINGS in message
    assert "model.random_init=true" in message


def test_weights_of_fewer_layers_than_the_config_are_an_error(folder: Path) -> None:
    change_config(folder, num_hidden_layers=3)
    assert "encoder.layer.2" in refusal(lambda: single(folder, IDS))


def test_a_weight_of_another_shape_is_named(folder: Path) -> None:
    weights = weights_of(folder)
    weights[WORD_EMBEDDINGS] = weights[WORD_EMBEDDINGS][:-1].clone()
    write_weights(folder, weights)
    message = refusal(lambda: single(folder, IDS))
    assert str(folder) in message
    assert WORD_EMBEDDINGS in message


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def empty_bin(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")


def cut_bin(folder: Path) -> None:
    as_bin(folder)
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize("damage", [cut, empty, cut_bin, empty_bin])
def test_damaged_weights_are_an_input_error(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    message = refusal(lambda: single(folder, IDS))
    assert str(folder) in message
    assert "weights" in message


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}"])
def test_a_config_that_cannot_be_read_is_an_input_error(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    assert str(folder / "config.json") in refusal(lambda: read_config(at(folder)))


def test_a_config_value_of_the_wrong_type_is_an_input_error(folder: Path) -> None:
    change_config(folder, num_hidden_layers="two")
    assert str(folder / "config.json") in refusal(lambda: read_config(at(folder)))


@pytest.mark.parametrize("random_init", [False, True])
def test_an_impossible_config_is_an_input_error(folder: Path, random_init: bool) -> None:
    change_config(folder, hidden_size=25)
    checkpoint = at(folder, random_init=random_init)
    assert str(folder) in refusal(lambda: Encoder(checkpoint, "cpu"))


@pytest.mark.parametrize("kind", ["gpt2", "t5", "deberta", "megatron-bert"])
def test_an_unsupported_model_type_is_an_input_error(folder: Path, kind: str) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    message = refusal(lambda: read_config(at(folder)))
    assert kind in message
    assert "albert, bert, camembert, deberta-v2, distilbert" in message


@pytest.mark.parametrize(
    "values", [{"is_decoder": True}, {"position_embedding_type": "relative_key_query"}]
)
def test_what_would_be_another_attention_than_the_checkpoints_is_an_input_error(
    folder: Path, values: dict[str, Any]
) -> None:
    change_config(folder, **values)
    message = refusal(lambda: read_config(at(folder)))
    assert str(folder / "config.json") in message
    assert next(iter(values)) in message


def test_code_of_a_checkpoint_is_never_run_nor_asked_about(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(prompt: str = "") -> str:
        asked.append(prompt)
        return "n"

    monkeypatch.setattr("builtins.input", ask)
    change_config(folder, model_type="unheard-of", auto_map={"AutoConfig": "code.Config"})
    (folder / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: pass\n")
    assert str(folder) in refusal(lambda: read_config(at(folder)))
    assert not (tmp_path / "ran").exists()
    assert not asked


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_on_a_cpu_is_an_input_error(tiny_model: Path, dtype: str) -> None:
    checkpoint = at(tiny_model, dtype=dtype)
    message = refusal(lambda: Encoder(checkpoint, "cpu"))
    assert f"model.dtype={dtype}" in message
    assert "model.dtype=float32" in message


# The hub


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub_cache(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub that holds owner/name at one commit, off line."""
    cache = tmp_path / "hub"
    model = cache / "models--owner--name"
    shutil.copytree(tiny_model, model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return cache


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_cached_hub_model_is_found_with_its_commit(
    hub_cache: Path, expected: Maps, revision: str | None
) -> None:
    checkpoint = locate(ModelConfig(hub="owner/name", name=None, revision=revision), 0)
    assert (checkpoint.name, checkpoint.commit) == ("name", COMMIT)
    assert hub_cache in checkpoint.folder.parents
    np.testing.assert_array_equal(batch(Encoder(checkpoint, "cpu"), [IDS])[0], expected)


def test_a_hub_model_takes_the_name_of_the_configuration(hub_cache: Path) -> None:
    assert locate(ModelConfig(hub="owner/name", name="mine"), 0).name == "mine"


def test_checksums_hold_for_hub_models(hub_cache: Path) -> None:
    config = ModelConfig(hub="owner/name", name=None, checksums={"vocab.txt": "f" * 64})
    assert "vocab.txt" in refusal(lambda: locate(config, 0))


def test_a_cached_hub_model_with_bin_weights_alone_is_found(hub_cache: Path) -> None:
    as_bin(hub_cache / "models--owner--name" / "snapshots" / COMMIT)
    checkpoint = locate(ModelConfig(hub="owner/name", name=None), 0)
    assert (checkpoint.weights, checkpoint.commit) == ("pytorch_model.bin", COMMIT)


@pytest.mark.parametrize("hub", ["owner/unknown", "not a name", "a/b/c"])
def test_an_unknown_hub_name_is_an_input_error(hub_cache: Path, hub: str) -> None:
    message = refusal(lambda: locate(ModelConfig(hub=hub, name=None), 0))
    assert hub in message
    assert "model.path=" in message


def test_an_unknown_revision_is_an_input_error(hub_cache: Path) -> None:
    message = refusal(lambda: locate(ModelConfig(hub="owner/name", name=None, revision="v9"), 0))
    assert "owner/name at revision v9" in message
