"""Completion: the script that a shell takes, and what it is answered when it asks."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from attnray.cli.choices import choices
from attnray.cli.help import JOBS
from attnray.cli.settings import keys
from attnray.config import CHOICES, CONTROLS, PAPERS, PROBES, SEGMENTS, Config

#: The jobs that take a run folder without a name.
OF_RUNS = ("status", "verify", "explore", "extract", "analyse", "probe", "reduce", "report")
#: Settings that choose among the files of a folder of conf/, those of `corpus` for each role too.
GROUPS = ("model", "corpus", "store", "executor", "experiment")
#: Settings that take files.
FILES = ("path", "vectors", "run_dir", "runs", "model", "corpus")
OPTIONS = ("--help", "--version", "--cfg", "--multirun")
OPTIONS_OF = {
    "verify": ("--repair", "--help"),
    "explore": ("--port", "--no-browser", "--help"),
    "status": ("--help",),
    "list": ("--help",),
}
#: Where the line is none of ours, the shell completes as ever; that of a python is asked by it.
SCRIPTS = {
    "bash": """\
_attnray_complete() {
  local line="${COMP_LINE:0:COMP_POINT}" word found program=("$1")
  [[ "${1##*/}" == python* ]] && program+=(-m attnray)
  found="$("${program[@]}" completion ask "$line" 2>/dev/null)" || { compopt -o default; return; }
  mapfile -t COMPREPLY <<< "$found"
  [[ -n "$found" ]] || COMPREPLY=()
  word="${line##* }"
  # (Bash takes what follows an equals sign for a word of its own.)
  [[ "$word" == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}")
}
complete -o nospace -F _attnray_complete attnray python python3
""",
    "zsh": """\
_attnray_complete() {
  local found program=("${words[1]}")
  [[ "${words[1]:t}" == python* ]] && program+=(-m attnray)
  found="$("${program[@]}" completion ask "$LBUFFER" 2>/dev/null)" || { _default; return }
  compadd -Q -U -S '' -- "${(f)found}"
}
compdef _attnray_complete attnray python python3
""",
    "fish": """\
function _attnray_complete
  set -l program (commandline -opc)[1]
  string match -q -r 'python[0-9.]*$' -- $program; and set program $program -m attnray
  $program completion ask (commandline -cp) 2>/dev/null | string trim -r
end
complete -c attnray -f -a '(_attnray_complete)'
complete -c python -c python3 -a '(_attnray_complete)'
""",
}


def answer(line: str) -> list[str] | None:
    """What the last word of a line can be, a space behind what is whole; None for other programs'.

    Args:
        line: what is typed, to the cursor.
    """
    *before, word = line.split(" ")
    words = [each for each in before if each]
    for place, each in enumerate(words):
        if found := re.fullmatch(r"(?:.*/)?jobs/(\w+)\.py", each):
            return _of_job(found[1], word) if found[1] in JOBS else None
        if Path(each).name == "attnray":
            job = words[place + 1 : place + 2]
            return _of_job(job[0], word) if job else _whole(word, [*JOBS, "completion"])
    return None


def _of_job(job: str, word: str) -> list[str]:
    if job == "completion":
        return _whole(word, SCRIPTS)
    if word.startswith("-"):
        return _whole(word, OPTIONS_OF.get(job, OPTIONS))
    if "=" in word:
        return _values(word)
    found = _files("", word) if job in OF_RUNS else []
    return found if job in OPTIONS_OF else [*found, *_keys(word)]


def _keys(word: str) -> list[str]:
    """The settings that begin with a word, to the next dot."""
    chosen = {each for each in keys() if each in GROUPS or each.startswith("corpora.")}
    leaves = {each for each in keys() if not any(k.startswith(f"{each}.") for k in keys())}
    found = {f"{each}=" for each in (chosen | leaves | {"experiment"})}
    rest = sorted(each[len(word) :] for each in found if each.startswith(word))
    return [*dict.fromkeys(word + re.split(r"(?<=\.)", each)[0] for each in rest)]


def _values(word: str) -> list[str]:
    """The values of a setting, of a list the next one."""
    key, _, value = word.partition("=")
    begun = re.match(r"(?:.*[,\[])?", value)
    assert begun is not None
    typed, start = value[begun.end() :], f"{key}={begun[0]}"
    known = [each for each in _known(key) if each.startswith(typed)]
    closing = "" if "[" in value else " "
    found = [f"{start}{each}{closing}" for each in sorted(known)]
    takes_files = key.rpartition(".")[2] in FILES or re.fullmatch(r"corpora\.\w+", key)
    return [*found, *(_files(start, typed) if takes_files else [])]


def _known(key: str) -> Iterable[str]:
    """The names that a setting can have."""
    group = "corpus" if re.fullmatch(r"corpora\.\w+", key) else key
    if group in GROUPS:
        return choices(group)
    last = key.rpartition(".")[2]
    if key == "metrics":
        from attnray.metrics.registry import NAMES

        return NAMES
    if last == "format":
        from attnray.corpus.readers import FORMATS

        return FORMATS
    default: Any = asdict(Config())
    for part in key.split("."):
        default = default.get(part) if isinstance(default, dict) else None
    others = {"probe.probes": PROBES, "controls": CONTROLS, "reproduce": PAPERS}
    named = {**CHOICES, **others}.get(key, SEGMENTS if last == "segment" else ())
    return named or (("true", "false") if isinstance(default, bool) else ())


def _whole(word: str, known: Iterable[str]) -> list[str]:
    return [f"{each} " for each in known if each.startswith(word)]


def _files(start: str, typed: str) -> list[str]:
    """The files and folders whose path begins so."""
    found = sorted(glob.glob(glob.escape(os.path.expanduser(typed)) + "*"))
    ends = [f"{each}/" if os.path.isdir(each) else f"{each} " for each in found]
    return [start + re.sub(r"([^\w@%+=:,./~-])(?!$)", r"\\\1", each) for each in ends]
