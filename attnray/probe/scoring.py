"""Scoring: attachment of words without punctuation, by the likeliest head and by the best tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import networkx as nx
import numpy as np
import torch
from numpy.typing import NDArray

from attnray.metrics.syntax import PUNCT
from attnray.probe.classifiers import Probe, scores_of
from attnray.probe.kinds import NEEDS
from attnray.probe.results import Scored
from attnray.probe.sentences import ProbeSentence, batches, sentences
from attnray.probe.training import BATCH_CELLS, collated
from attnray.probe.vectors import Vectors
from attnray.store.folder import RunFolder, Shard

BATCH_SENTENCES = 50


#: What is counted of a sentence, in this order.
COUNTS = tuple(field.name for field in fields(Scored))[1:]


def score(
    name: str,
    probe: Probe,
    folder: RunFolder,
    shards: Sequence[Shard],
    vectors: Vectors | None,
    device: str,
) -> Scored:
    """What a probe gets right, by unit."""
    found: dict[int, NDArray[np.int64]] = {}
    for shard in shards:
        several = sentences(folder, shard, NEEDS[name][0])
        for batch in batches(several, BATCH_SENTENCES, BATCH_CELLS):
            with torch.inference_mode():
                scores = scores_of(probe, collated(batch, vectors, device)).log_softmax(-1)
            for sentence, matrix in zip(batch, scores.cpu().numpy(), strict=True):
                unit = sentence.example.unit
                found[unit] = found.get(unit, 0) + counts(sentence, matrix.astype(np.float64))
    units = sorted(found)
    table = np.array([found[unit] for unit in units], np.int64).reshape(len(units), len(COUNTS))
    return Scored(np.array(units, np.int64), *table.T)


def counts(sentence: ProbeSentence, scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """The `COUNTS` of a sentence; scores: (word, candidate), padding included."""
    example = sentence.example
    words = len(example.words)
    scores = scores[:words, : words + 1]
    gold = np.array(example.heads)
    measured = (gold >= 0) & np.array([_label(r) != PUNCT for r in example.relations])
    likeliest, tree = scores.argmax(1), best_tree(scores)
    edge = measured & (gold > 0)
    numbers = np.arange(1, words + 1)
    backwards = np.concatenate([[0], tree])[gold] == numbers
    return np.array(
        [
            measured.sum(),
            (measured & (likeliest == gold)).sum(),
            (measured & (tree == gold)).sum(),
            edge.sum(),
            (edge & ((tree == gold) | backwards)).sum(),
        ]
    )


def best_tree(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """The heads of the tree with a single root that has the highest sum of scores.

    Args:
        scores: (word, candidate), candidate 0 being the root; -inf for the word itself.

    Returns:
        The head of each word, 0 for the root's.
    """
    likeliest = np.asarray(scores.argmax(1), np.int64)
    if _is_tree(likeliest):
        return likeliest
    finite = scores[np.isfinite(scores)]
    # A second root costs more than all other choices together can gain.
    fine = len(scores) * (finite.max() - finite.min() + 1)
    graph = nx.DiGraph()
    for word, row in enumerate(scores):
        for head in np.flatnonzero(np.isfinite(row)):
            graph.add_edge(int(head), word + 1, weight=row[head] - (0 if head else fine))
    heads = np.zeros(len(scores), np.int64)
    for head, word in nx.maximum_spanning_arborescence(graph).edges:
        heads[word - 1] = head
    return heads


def _is_tree(heads: NDArray[np.int64]) -> bool:
    """Whether one word hangs on the root and every other reaches it."""
    above = np.concatenate([[0], heads])
    reached = above
    for _ in range(len(heads).bit_length()):
        reached = reached[reached]
    return bool((heads == 0).sum() == 1 and not reached.any())


def _label(relation: str) -> str:
    return relation.partition(":")[0]
