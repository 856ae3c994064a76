"""The probes by name, what each needs, and what their vectors are called."""

from __future__ import annotations

from pathlib import Path

#: Whether a probe needs attention, and whether it needs vectors of words.
NEEDS = {
    "right_branching": (False, False),
    "distances_and_words": (False, True),
    "attention": (True, False),
    "attention_and_words": (True, True),
}


def vectors_of(probe: str, path: str | None) -> str | None:
    """What the table `probes` calls the vectors of a probe, None where it needs none."""
    if not NEEDS[probe][1]:
        return None
    return f"glove:{Path(path).name}" if path else "input_embeddings"
