"""Documents of CoNLL-2012, from bracketed trees."""

from __future__ import annotations

import re
from pathlib import Path


def row(number: int, word: str, tag: str, bit: str = "*", coreference: str = "-") -> str:
    fields = ["bc/x/00/x_0000", "0", str(number), word, tag, bit, "-", "-", "-", "Ann", "*"]
    return "   ".join([*fields, "*", coreference])


def sentence(tree: str, coreference: dict[int, str] | None = None) -> list[str]:
    """Rows of a bracketed tree such as `(S (NP (PRP She)) (VP (VBD slept)))`."""
    leaves = re.findall(r"((?:\((?!\S+ [^()\s]+\))\S+ *)*)\((\S+) ([^()\s]+)\)((?:\s*\))*)", tree)
    return [
        row(
            number,
            word,
            tag,
            opens.replace(" ", "") + "*" + closes.replace(" ", ""),
            (coreference or {}).get(number, "-"),
        )
        for number, (opens, tag, word, closes) in enumerate(leaves)
    ]


def written(path: Path, *sentences: list[str], part: str = "; part 000") -> str:
    body = "\n\n".join("\n".join(rows) for rows in sentences)
    path.write_text(f"#begin document (bc/x/00/x_0000){part}\n{body}\n\n#end document\n")
    return str(path)
