"""Extract: one shard's examples through the model, into its store, its metrics, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

import torch
from torch import Tensor

from attnray.corpus.example import Example
from attnray.errors import describe
from attnray.metrics.analysis import Add, Analysis
from attnray.metrics.groups import Group, batches
from attnray.model.devices import is_out_of_memory
from attnray.model.encoder import Encoder
from attnray.stages.tasks import ExtractTask
from attnray.store.codecs import CODECS
from attnray.store.maps import EncodedMaps, Storing


def extract(
    model: Callable[[], AbstractContextManager[Encoder]],
    task: ExtractTask,
    passed: Callable[[int], object] = lambda _: None,
) -> int:
    """Write a shard's attention, and what metrics find in it, and commit both.

    Where there is too little memory the shard is begun again, with batches half as large.

    Args:
        model: gives the model for as long as it is used: what needs none is done before and
            after, while another shard may have it.
        task: what to do.
        passed: is told of each batch that has passed the model, how many examples it has; and how
            many are to pass it again, as a negative number.

    Returns:
        How often batches were halved: if they were, the last bits are not those of the plan.

    Raises:
        MemoryError: there is too little memory for one example.
    """
    examples, halvings = task.examples, 0
    while True:
        counted: list[int] = []

        def count(group: Group, layers: slice, _: Tensor, counted: list[int] = counted) -> None:
            if layers.stop == task.heads[0]:
                counted.append(len(group.examples))
                passed(counted[-1])

        try:
            _extract(model, task, examples, count)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            smaller, why = _halved(examples), describe(error)
        else:
            return halvings
        # (Only here is what the failed batch held let go of.)
        passed(-sum(counted))
        torch.cuda.empty_cache()
        if smaller is None:
            raise MemoryError(f"too little memory for one example at a time ({why})")
        examples, halvings = smaller, halvings + 1


def _extract(
    model: Callable[[], AbstractContextManager[Encoder]],
    task: ExtractTask,
    examples: list[Example],
    count: Add,
) -> None:
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


def _halved(examples: list[Example]) -> list[Example] | None:
    """The examples in batches half as large; None where each has one of its own."""
    halves = []
    for group in batches(examples):
        middle = (len(group.examples) + 1) // 2
        halves += [each for each in (group.examples[:middle], group.examples[middle:]) if each]
    if len(halves) == len({example.batch for example in examples}):
        return None
    return [replace(each, batch=number) for number, half in enumerate(halves) for each in half]


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
