"""Extract: one shard's examples through the model, into its store, its metrics, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.analysis import Add, Analysis
from attnray.metrics.groups import Group
from attnray.model.encoder import Encoder
from attnray.stages.tasks import ExtractTask
from attnray.store.codecs import CODECS
from attnray.store.maps import EncodedMaps, Storing


def extract(
    model: Callable[[], AbstractContextManager[Encoder]],
    task: ExtractTask,
    passed: Callable[[int], object] = lambda _: None,
) -> None:
    """Write a shard's attention, and what metrics find in it, and commit both.

    Args:
        model: gives the model for as long as it is used: what needs none is done before and
            after, while another shard may have it.
        task: what to do.
        passed: is told of each batch that has passed the model, how many examples it has.
    """

    def count(group: Group, layers: slice, _: Tensor) -> None:
        if layers.stop == task.heads[0]:
            passed(len(group.examples))

    examples = task.examples
    analysis = Analysis(task.metrics, examples, task.heads)
    with ExitStack() as stack:
        storing = _storing(stack, task, examples)
        sinks = [analysis.add, *([storing.add] if storing else []), count]
        with model() as encoder:
            EncodedMaps(encoder, examples).feed(_each(sinks))
        if storing:
            storing.finish()
    everything = analysis.found()
    for metric, fingerprint, found in zip(task.metrics, task.fingerprints, everything, strict=True):
        task.folder.commit_found(metric, task.shard, fingerprint, found, task.cases)


def _storing(stack: ExitStack, task: ExtractTask, examples: list[Example]) -> Storing | None:
    """What writes the attention: it is committed when the stack is left."""
    if task.store is None:
        return None
    lengths = [example.length for example in examples]
    writer = task.folder.storing(task.shard, task.fingerprint, lengths, task.heads, task.store)
    return Storing(stack.enter_context(writer), CODECS[task.store.codec], task.heads)


def _each(sinks: Sequence[Add]) -> Add:
    def add(*maps: object) -> None:
        for sink in sinks:
            sink(*maps)  # type: ignore[arg-type]

    return add
