"""Analyses beside plain NumPy, and the divergences beside as many logarithms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from attnray.metrics.analysis import analyse
from attnray.metrics.divergence import Divergence
from attnray.metrics.kernels import MERGES, cpu
from attnray.metrics.sums import ratio
from attnray.metrics.syntax import Syntax
from measures import reference
from measures.held import Held
from measures.subject import Subject
from measures.timing import Part, Row, alternated, unprepared

MEAN = MERGES["mean"]
#: Logarithms taken at a time: they stay in a core's cache.
BLOCK = 1 << 15


def word_merge(held: Held) -> dict[str, Any]:
    """The same as `reference.merged`, as the kernel of syntax makes it for itself."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    for group, _, maps in held.given:
        heads = maps[:, 0].contiguous().numpy()
        for place, n in enumerate(group.words):
            out = np.empty((heads.shape[1], n, n))
            _merged(heads[place], group.starts[place, :n], group.sizes[place, :n], out)
            found.setdefault(str(group.first + place), []).append(out)
    return {name: np.stack(layers) for name, layers in found.items()}


@njit(cache=True)
def _merged(maps: Any, starts: Any, sizes: Any, out: Any) -> None:
    row = np.empty(out.shape[-1])
    for head in range(len(maps)):
        cpu._between_words(maps[head], starts, sizes, MEAN, row, out[head])


def syntax(held: Held) -> dict[str, Any]:
    """How often each head is right, by relation: (layer, head, direction)."""
    (found,) = analyse([Syntax("mean", "universal")], held.examples, held)
    rows = found.partial.rows
    return {name: rows[name].heads.c for name in rows.keys() - set(Syntax.together)}


def divergence(held: Held) -> dict[str, Any]:
    """The mean divergence of every two heads."""
    (found,) = analyse([Divergence(0, 0)], held.examples, held)
    heads = held.heads[0] * held.heads[1]
    return {"mean": ratio(found.partial.sums).reshape(heads, heads)}


def analysis_reference(subject: Subject) -> Iterator[Row]:
    """Word merge, syntax and divergence: ours, and sentence by sentence, head by head."""
    held = Held(subject, subject.cells)
    plain = (held.examples, [each.astype(np.float64) for each in held.plain])
    part = Part("analysis/reference", subject.name, "counts and sums of every head")
    sides = {
        "word merge": (partial(word_merge, held), partial(reference.merged, *plain), "100"),
        "divergence": (partial(divergence, held), partial(reference.divergence, *plain), ""),
    }
    if any(any(example.relations) for example in held.examples):
        sides["syntax"] = (partial(syntax, held), partial(reference.syntax, *plain), "100")
    for name, (ours, theirs, goal) in sides.items():
        both = {"ours": unprepared(ours), "NumPy": unprepared(theirs)}
        timed = alternated(both, subject.rounds, warm=subject.warm)
        part.same(name, timed["ours"].result, timed["NumPy"].result)
        yield part.row(f"{name}: NumPy / ours", timed["NumPy"].against(timed["ours"]), goal=goal)


def divergence_log(subject: Subject) -> Iterator[Row]:
    """The kernel of divergence over the longest example, and a logarithm for each term."""
    held = Held(subject, subject.cells)
    longest = max(held.plain, key=np.size)
    halves = torch.from_numpy(longest / 2).flatten(2).flatten(0, 1)
    heads, size = halves.shape
    repeats = max(1, (1 << 16) // size)
    terms = heads * (heads + 1) // 2 * size * repeats
    block, out = torch.rand(BLOCK) + 1e-3, torch.empty(BLOCK)

    def kernel() -> dict[str, Any]:
        for _ in range(repeats):
            found = cpu.divergence(halves)
        return {"mean": found.numpy() / longest.shape[-1]}

    def logarithms() -> None:
        for _ in range(-(-terms // BLOCK)):
            torch.log(block, out=out)

    part = Part("divergence/log", subject.name, "divergences with plain NumPy's")
    sides = {"kernel": unprepared(kernel), "log": unprepared(logarithms)}
    timed = alternated(sides, subject.rounds, warm=subject.warm)
    part.same(
        "kernel", timed["kernel"].result, reference.divergence([], [longest.astype(np.float64)])
    )
    yield part.row("kernel / torch.log", timed["kernel"].against(timed["log"]), goal="1.5")
    for name, each in timed.items():
        yield part.row(f"{name}, a term", [s / terms * 1e9 for s in each.seconds], "ns")
