"""The kernels of a GPU beside those of a CPU, over the same random groups.

`python -m tests.builders.kernel_twins`, with TRITON_INTERPRET=1 where there is no GPU, ends with an
error where they differ. (Triton reads that variable as it is imported: so this is a process.)
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from attnray.metrics.kernels import MERGES, cpu
from tests.builders.groups import LAYERS, anaphors, drawn, syntax_cases

#: Logarithms are those of float32.
CLOSE = 2e-6
SEEDS = range(2)


def main() -> None:
    """Compare, and say over how many groups."""
    from attnray.metrics.kernels import gpu

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for seed in SEEDS:
        compare(gpu, device, seed)
    print(f"the same over {len(SEEDS)} groups")


def compare(other: ModuleType, device: torch.device, seed: int) -> None:
    """Hold the kernels of a module to those of a CPU, over one group."""
    group, maps = drawn(seed, tied=seed % 2 == 0, examples=2, words=20)
    there = maps.to(device)
    assert_close(other.pattern_sums(there, group), cpu.pattern_sums(maps, group))
    cases = syntax_cases(group)
    for merge in MERGES:
        predicted = (
            k.heads_predicted(m, group, *cases, merge) for k, m in ((other, there), (cpu, maps))
        )
        assert_equal(*predicted)
        asked = (*anaphors(group, seed), merge, "anaphors")
        assert_equal(
            other.antecedents_chosen(there, group, *asked),
            cpu.antecedents_chosen(maps, group, *asked),
        )
    for layer in range(LAYERS):
        ours, theirs = there[:, layer], maps[:, layer]
        assert_equal(other.compacted(ours, group), cpu.compacted(theirs, group))
        codes = [
            k.log16(m, group).cpu().numpy().astype(np.int64)
            for k, m in ((other, ours), (cpu, theirs))
        ]
        # (A weight in the middle between two codes may get either.)
        assert abs(codes[0] - codes[1]).max() <= 1
    n = group.lengths[0]
    halves = (maps[0, :, :, :n, :n] / 2).flatten(2).flatten(0, 1)
    assert_close(other.divergence(halves.to(device)), cpu.divergence(halves))


def assert_equal(ours: Tensor, theirs: Tensor) -> None:
    """The same type, shape and values."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert torch.equal(ours.cpu(), theirs)


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    """The same type and shape, and values that differ by roundings of logarithms."""
    torch.testing.assert_close(ours.cpu(), theirs, rtol=CLOSE, atol=CLOSE)


if __name__ == "__main__":
    main()
