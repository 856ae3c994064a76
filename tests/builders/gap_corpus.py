"""Passages of GAP's form, their words drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attnray.corpus.formats.gap import COLUMNS


def written(path: Path, count: int) -> Path:
    """A corpus of passages, in each of which a pronoun stands for one of two names."""
    generator = np.random.default_rng(0)
    lines = ["\t".join(COLUMNS)]
    for number in range(count):
        between = " ".join(generator.choice(["slept", "so", "well", "a", "dog"], 4))
        pronoun = ("she", "he")[number % 2]
        text = f"Ann {between} Bo {between} {pronoun} left."
        labels = generator.permutation(["TRUE", "FALSE"])
        offsets = [str(text.index(word)) for word in (f"{pronoun} left", "Ann", "Bo")]
        names = ["Ann", offsets[1], labels[0], "Bo", offsets[2], labels[1]]
        lines.append("\t".join([f"test-{number}", text, pronoun, offsets[0], *names, "http://x"]))
    path.write_text("\n".join(lines))
    return path
