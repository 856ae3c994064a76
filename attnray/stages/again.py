"""Plan again: shards whose files are lost, from the corpus that they were made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from attnray.errors import InputError
from attnray.stages.plan import Planner
from attnray.store.manifest import Manifest


def plan_again(manifest: Manifest, planner: Planner, roles: Sequence[str]) -> None:
    """Make the files of shards again that are missing or have another size.

    Args:
        manifest: the frozen plan.
        planner: what plans the run.
        roles: those whose shards are needed, where they are planned.

    Raises:
        InputError: the corpus gives other shards now.
    """
    folder, roles = planner.folder, [role for role in roles if role in manifest.roles]
    needed = {number for role in roles for number in _numbers(manifest, role)}
    lost = [each for each in folder.lost(manifest.shards) if each.number in needed]
    if not lost:
        return
    again = folder.inside("planned-again")
    again.remove()
    try:
        found = _planned(manifest, planner.elsewhere(again), roles)
        same = {own: other for role in roles for own, other in _pairs(manifest, found, role)}
        for shard in lost:
            other = found.shard(same[shard.number])
            if other.checksum != shard.checksum:
                raise InputError(
                    f"{folder.lacking(shard)}, and the corpus gives another shard now: put back "
                    "this file and the packages the run was planned with, or choose another run_dir"
                )
            folder.copy_shard(shard.number, again, other)
    finally:
        again.remove()


def _planned(manifest: Manifest, planner: Planner, roles: Sequence[str]) -> Manifest:
    """The plan of these roles, made anew."""
    empty = replace(manifest, sets=[], roles={}, examples=[], samples={})
    *_, grown = planner.grow(empty, roles)
    return planner.freeze(grown, roles)


def _numbers(manifest: Manifest, role: str) -> Iterator[int]:
    """The shards of a role, the sample of each set behind it."""
    for each in manifest.sets_of(role):
        yield from each.shards
        if each.key in manifest.samples:
            yield manifest.samples[each.key]


def _pairs(manifest: Manifest, other: Manifest, role: str) -> Iterator[tuple[int, int]]:
    """The shards of a role in two plans of it."""
    return zip(_numbers(manifest, role), _numbers(other, role), strict=True)
