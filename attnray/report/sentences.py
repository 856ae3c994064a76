"""What was found, in one look: a few sentences made from the tables."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from attnray.report import wording
from attnray.report.findings import (
    ALL,
    MentionBest,
    PronounBest,
    RelationBest,
    frequent,
    heads_above,
    layer_means,
    probe_means,
)

MOST_RELATIONS = 6
MOST_HEADS = 6
#: A head with more than this share on one neighbour follows the words (section 3 of the paper).
HALF = 0.5


def about_patterns(patterns: pa.Table) -> list[str]:
    """Where special tokens get most attention, and how many heads follow a neighbour."""
    following = [
        f"to the {each} token in {_heads(heads_above(patterns, each, HALF))}"
        for each in ("previous", "next")
    ]
    return [
        f"By the mean over the heads of a layer, [CLS] gets most attention in layer "
        f"{_peak(patterns, 'cls')}, [SEP] in layer {_peak(patterns, 'sep')}.",
        f"More than half of the attention goes {following[0]}, {following[1]}.",
    ]


def about_relations(rows: Sequence[RelationBest]) -> list[str]:
    """The best heads of all dependencies and of the most frequent relations."""
    sentences = [
        f"Over all {wording.count(row.total)} dependencies the best head is "
        f"{wording.head(row.layer, row.head)} ({wording.direction(row.direction)}): "
        f"{wording.percent(row.accuracy)}, against {wording.percent(row.baseline_accuracy)} for "
        f"the best fixed offset ({wording.offset(row.baseline_offset)})."
        for row in rows
        if row.relation == ALL
    ]
    most = [
        f"{row.relation} {wording.percent(row.accuracy)} by {wording.head(row.layer, row.head)} "
        f"(offset {wording.percent(row.baseline_accuracy)})"
        for row in frequent(rows, MOST_RELATIONS)
    ]
    if most:
        sentences.append(f"The most frequent relations: {', '.join(most)}.")
    scores = [
        (row.heldout_accuracy, row.baseline_heldout_accuracy) for row in frequent(rows, len(rows))
    ]
    known = [(ours, theirs) for ours, theirs in scores if ours is not None and theirs is not None]
    if known:
        better = sum(ours > theirs for ours, theirs in known)
        sentences.append(
            "Chosen and scored on different documents, heads beat the best fixed offset in "
            f"{better} of {len(known)} relations (punct left out)."
        )
    return sentences


def about_mentions(rows: Sequence[MentionBest]) -> list[str]:
    """The best head over all anaphors beside the baselines, for every cut."""
    return [
        f"Coreference in documents cut to {row.max_tokens} pieces: over all "
        f"{wording.count(row.total)} anaphors the best head is "
        f"{wording.head(row.layer, row.head)} with {wording.percent(row.accuracy)}, against "
        f"{_baselines(row.baselines)}."
        for row in rows
        if row.mention_type == ALL
    ]


def about_pronouns(rows: Sequence[PronounBest]) -> list[str]:
    """The best head over the pronouns of all genders beside the baselines, for every cut."""
    return [
        f"Ambiguous pronouns in passages cut to {row.max_tokens} pieces: head "
        f"{wording.head(row.layer, row.head)} chooses the right one of two names for "
        f"{wording.percent(row.accuracy)} of {wording.count(row.total)} pronouns (F1 "
        f"{wording.percent(row.f1)}), against "
        f"{_baselines({name: each.accuracy for name, each in row.baselines.items()})}."
        for row in rows
        if row.gender == ALL
    ]


def about_bias(rows: Sequence[PronounBest]) -> list[str]:
    """F1 of feminine over masculine pronouns, of the best head and the baselines, by cut."""
    sentences = []
    for row in rows:
        biases = {name: each.bias for name, each in row.baselines.items()}
        known = [f"{bias:.2f} ({wording.spaced(n)})" for n, bias in biases.items() if bias]
        if row.gender == ALL and row.bias:
            sentences.append(
                f"Bias, the F1 of feminine pronouns over that of masculine ones, in passages cut "
                f"to {row.max_tokens} pieces: {row.bias:.2f} for head "
                f"{wording.head(row.layer, row.head)}; {', '.join(known) or 'no baseline'}."
            )
    return sentences


def about_probes(probes: pa.Table, twin: pa.Table | None) -> list[str]:
    """What each probe reads of a parse, beside the same probe of the random twin."""
    twins = probe_means(twin) if twin else {}
    parts = [
        f"{wording.spaced(probe)} {wording.percent(uas)}"
        + (f" (random twin {wording.percent(twins[probe])})" if probe in twins else "")
        for probe, uas in probe_means(probes).items()
    ]
    return [f"Words whose syntactic head a probe finds: {', '.join(parts)}."] if parts else []


def _peak(patterns: pa.Table, pattern: str) -> str:
    means = layer_means(patterns, pattern)
    layer = max(means, key=lambda each: means[each])
    return f"{layer} ({wording.percent(means[layer])})"


def _baselines(values: dict[str, float | None]) -> str:
    parts = [f"{wording.percent(v)} ({wording.spaced(name)})" for name, v in values.items()]
    return ", ".join(parts) or "no baseline"


def _heads(heads: list[tuple[int, int]]) -> str:
    named = ", ".join(wording.head(*head) for head in heads)
    shown = f" ({named})" if 0 < len(heads) <= MOST_HEADS else ""
    return f"{len(heads) or 'no'} {'head' if len(heads) == 1 else 'heads'}{shown}"
