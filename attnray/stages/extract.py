"""Extract: one shard's examples through the model into its store of attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from attnray.config import StoreConfig
from attnray.model.encoder import Encoder
from attnray.store.codecs import CODECS
from attnray.store.folder import RunFolder
from attnray.store.maps import encoded


@dataclass(frozen=True)
class ExtractTask:
    """A shard to extract, and the fingerprint its marker gets."""

    stage: ClassVar[str] = "extract"
    folder: RunFolder
    shard: int
    fingerprint: str
    store: StoreConfig

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"shard {self.shard:05}"


def extract(encoder: Encoder, task: ExtractTask) -> None:
    """Write a shard's attention and commit it."""
    examples = task.folder.examples(task.shard)
    lengths = [example.length for example in examples]
    heads = (encoder.layers, encoder.heads)
    with task.folder.attention_writer(task.shard, lengths, heads, task.store) as writer:
        for _, codes in encoded(encoder, examples, CODECS[task.store.codec]):
            writer.add(codes)
    task.folder.commit_attention(task.shard, task.fingerprint)
