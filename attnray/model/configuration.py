"""The configuration of a checkpoint: much lighter to import than what makes a model of it."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoConfig, PretrainedConfig

from attnray.errors import InputError
from attnray.model.families import why_not
from attnray.model.fields import check
from attnray.model.source import Checkpoint


def read_config(checkpoint: Checkpoint) -> PretrainedConfig:
    """The checkpoint's configuration.

    Raises:
        InputError: it cannot be read, or a model of it is not supported.
    """
    path = checkpoint.folder / "config.json"
    check(path)
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(
            checkpoint.folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        raise unusable(path, "cannot be read", error) from error
    reason = why_not(config)
    if reason is not None:
        raise InputError(f"{path}: {reason}")
    return config


def unusable(path: Path, what: str, error: Exception) -> InputError:
    """Whatever a library finds wrong with a checkpoint's files: a matter of the input."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return InputError(f"{path}: {what} ({reason}); give a whole checkpoint")
