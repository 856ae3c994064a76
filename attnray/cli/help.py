"""What the command line says of itself: what each job does, and what can be chosen by name."""

from __future__ import annotations

from typing import Any

from attnray.called import called
from attnray.cli.choices import choices, configuration_folder

#: What each job does, and examples of what follows its name.
JOBS = {
    "run": (
        "The main job: plan, extract, analyse, reduce and report, in one run folder. With -m a "
        "sweep over models and corpora, ended by their comparison. Again, it goes on where it "
        "stopped.",
        "model=bert-base-uncased corpus=conllu corpus.path=dev.conllu\n"
        "-m model=minilm,minilm-random-0,path/to/checkpoint corpus=sample",
    ),
    "plan": (
        "Only the plan: the examples of every corpus, cut into shards, and what the run will take.",
        "run_dir=DIR corpus=conllu corpus.path=dev.conllu",
    ),
    "extract": (
        "Run the model over the planned shards and store its attention; if fused, measure it too.",
        "run_dir=DIR",
    ),
    "analyse": (
        "Measure the stored attention, shard by shard.",
        "run_dir=DIR metrics=[syntax] merge=first",
    ),
    "probe": (
        "Train and score the probes on stored attention.",
        "run_dir=DIR 'probe.seeds=[0,1,2]'",
    ),
    "reduce": (
        "Merge what was measured in all shards into the tables.",
        "run_dir=DIR",
    ),
    "report": (
        "Draw the figures and write the page from the tables.",
        "run_dir=DIR 'examples=[3,14]'",
    ),
    "compare": (
        "Compare finished runs: best heads, coreference, probes, behaviours, head roles.",
        "'runs=[runs/a,runs/b]' run_dir=runs/a-and-b",
    ),
    "explore": (
        "Look through the cases of a run, right and wrong, with the attention of any head, in a "
        "browser on this machine; it only reads. Another run is shown beside it.",
        "RUN_DIR\nRUN_DIR OTHER_RUN_DIR --port 8000 --no-browser",
    ),
    "status": (
        "Say of a run, at work or not, what is done, has failed and is left, and how fast it goes; "
        "it only reads.",
        "RUN_DIR",
    ),
    "verify": (
        "Check every file of a run against its checksums; with --repair what is broken is made "
        "again.",
        "RUN_DIR",
    ),
    "list": (
        "Print the models and corpora that can be chosen by name, with licence and size.",
        "",
    ),
}

#: The jobs that take no settings.
WITHOUT_SETTINGS = ("explore", "status", "verify", "list")
_SETTINGS = """\
Settings are given as KEY=VALUE. All of them, with what they are for:
  {settings}
Models and corpora by name: {list}

  --cfg job          print the settings as they would be, and stop
  -m, --multirun     several values of a setting, with commas between them, make a sweep
  --hydra-help       more options, of Hydra

"""
_STATUS = """\
Exit status: 0 complete; 1 incomplete, the message names what is missing; 2 a setting or an
input cannot be used."""

_JOBS_HELP = """\
usage: attnray JOB [KEY=VALUE ...]

What attention heads do: from a model and a corpus to tables and a report.

{jobs}

  attnray run                                              the sample that comes along
  attnray run model=bert-base-uncased corpus=dev.conllu    another model, a corpus of one's own
  attnray report RUN_DIR                                   its page, made again

  attnray JOB --help   what a job does, with an example and its options
  attnray --version    the version of attnray
  eval "$(attnray completion bash)"   completes jobs, settings and values (also zsh, fish)"""


def jobs_text() -> str:
    """What `attnray --help` prints: every job with a line of what it does."""
    firsts = {job: what.split(". ")[0].rstrip(".") for job, (what, _) in JOBS.items()}
    return _JOBS_HELP.format(jobs="\n".join(f"  {job:9}{what}." for job, what in firsts.items()))


def help_text(job: str) -> str:
    """What `--help` of a job prints."""
    what, examples = JOBS[job]
    lines = [f"  {called(job)} {each}".rstrip() for each in examples.splitlines() or [""]]
    file = configuration_folder() / "config.yaml"
    settings = _SETTINGS.format(settings=file, list=called("list"))
    shown = "" if job in WITHOUT_SETTINGS else settings
    return "\n".join([what, "", "Example:", *lines, "", shown + _STATUS])


def choices_text() -> str:
    """The models and corpora that have a name, as columns of text."""
    parts = []
    for group in ("model", "corpus"):
        rows = [_row(group, name, settings) for name, settings in choices(group).items()]
        parts.append(_columns([(group, "size", "licence"), *rows]))
    return "\n\n".join(parts)


def _row(group: str, name: str, settings: dict[str, Any]) -> tuple[str, str, str]:
    """The name of a choice, its size, or what has to be given with it, and its licence."""
    to_give = [f"give {group}.{key}=" for key in ("hub", "path") if settings.get(key) == "???"]
    size = to_give[0] if to_give else str(settings.get("size") or "–")
    return name, size, str(settings.get("licence") or "–")


def _columns(rows: list[tuple[str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        f"{name:{widths[0]}}  {size:{widths[1]}}  {licence}" for name, size, licence in rows
    )
