"""Training: what can be learned is learned, from shards of a run folder, to the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attnray.config import ProbeConfig, StoreConfig
from attnray.corpus.example import Example
from attnray.probe.kinds import NEEDS
from attnray.probe.scoring import score
from attnray.probe.sentences import ProbeSentence, batches, sentences
from attnray.probe.training import collated, train
from attnray.store.folder import RunFolder, Shard

LAYERS, HEADS = 1, 3
NOUN, VERB = 10, 11


def example(index: int, random: np.random.Generator, by_word: bool) -> tuple[Example, Any]:
    """A sentence whose heads one head of attention shows: 0, or by its word 0 or 1."""
    words = int(random.integers(4, 9))
    heads = [int(random.choice([h for h in range(words) if h != w])) + 1 for w in range(words)]
    heads[int(random.integers(words))] = 0
    kinds = random.choice([NOUN, VERB], words)
    length = words + 2
    maps = random.random((LAYERS, HEADS, length, length)) / length
    for word, head in enumerate(heads):
        shows = int(kinds[word] == VERB) if by_word else 0
        # The root is shown by attention to the start token.
        maps[0, shows, word + 1, head] += 1
        if by_word:
            wrong = [h for h in range(words + 1) if h not in (word + 1, head)]
            maps[0, 1 - shows, word + 1, int(random.choice(wrong))] += 1
    return (
        Example(
            index=index,
            document=f"d{index // 5}",
            sentence="",
            unit=index // 5,
            fold=0,
            batch=0,
            pieces=np.array([2, *kinds, 3], np.int32),
            tokens=[],
            types=np.zeros(length, np.int8),
            roles=np.array([1, *[0] * words, 2], np.int8),
            word_of_piece=np.array([-1, *range(words), -1], np.int32),
            words=["w"] * words,
            heads=heads,
            relations=["dep"] * words,
            mentions=[],
        ),
        maps,
    )


def folder(
    path: Path, by_word: bool, shards: int = 3, each: int = 60
) -> tuple[RunFolder, list[Shard]]:
    """A run folder with nothing but shards and their attention."""
    random, run = np.random.default_rng(0), RunFolder(path)
    written = []
    for shard in range(shards):
        made = [example(shard * each + n, random, by_word) for n in range(each)]
        made.sort(key=lambda pair: pair[0].length)
        written.append(run.write_examples(shard, [example for example, _ in made]))
        store = StoreConfig("float32", chunk_cells=256, block_mib=1)
        lengths = [example.length for example, _ in made]
        with run.storing(shard, "", lengths, (LAYERS, HEADS), store) as writer:
            for _, maps in made:
                writer.add(maps.reshape(LAYERS, HEADS, -1).astype(np.float32))
    return run, written


class KindVectors:
    """A vector for nouns and one for verbs."""

    size = 2

    def of(self, example: Example) -> torch.Tensor:
        kinds = torch.from_numpy(example.pieces[1:-1].astype(np.int64))
        return torch.nn.functional.one_hot(kinds - NOUN, 2).to(torch.float32)


def uas(made: tuple[RunFolder, list[Shard]], name: str, rate: float = 0.1) -> float:
    run, shards = made
    vectors = KindVectors() if NEEDS[name][1] else None
    config = ProbeConfig(learning_rate=rate, batch_sentences=4)
    probe, words = train(name, 0, run, shards[:2], vectors, config, "cpu")
    assert words == sum(len(s.example.heads) for n in shards[:2] for s in sentences(run, n, False))
    counts = score(name, probe, run, shards[2:], vectors, "cpu")
    return float(counts.correct.sum() / counts.words.sum())


def test_a_head_that_shows_the_parse_is_found(tmp_path: Path) -> None:
    run = folder(tmp_path, by_word=False)
    assert uas(run, "attention") > 0.98
    assert uas(run, "attention_and_words") > 0.95
    assert uas(run, "right_branching") < 0.4


def test_only_words_tell_which_head_shows_the_parse(tmp_path: Path) -> None:
    run = folder(tmp_path, by_word=True)
    assert uas(run, "attention") < 0.75
    assert uas(run, "attention_and_words") > 0.95


@pytest.mark.parametrize("name", list(NEEDS))
def test_the_same_seed_gives_the_same_bits(tmp_path: Path, name: str) -> None:
    run, shards = folder(tmp_path, by_word=True, each=12)
    vectors = KindVectors() if NEEDS[name][1] else None
    torch.set_num_threads(1)
    states = []
    for seed in (0, 0, 1):
        probe, _ = train(name, seed, run, shards[:2], vectors, ProbeConfig(), "cpu")
        states.append([p.detach().clone() for p in probe.parameters()])
    assert all(map(torch.equal, states[0], states[1]))
    assert not states[0] or not all(map(torch.equal, states[0], states[2]))


def test_attention_between_words_and_with_the_ends(tmp_path: Path) -> None:
    run, shards = folder(tmp_path, by_word=False, shards=1, each=7)
    random = np.random.default_rng(0)
    made = sorted((example(n, random, False) for n in range(7)), key=lambda pair: pair[0].length)
    found = sentences(run, shards[0], attention=True)
    assert [s.example.index for s in found] == [e.index for e, _ in made]
    for sentence, (_, maps) in zip(found, made, strict=True):
        assert sentence.attention is not None
        # Every word is one piece here: the start token moves behind the words.
        order = [*range(1, maps.shape[2] - 1), 0, maps.shape[2] - 1]
        expected = maps[0][:, order][:, :, order].astype(np.float32)
        np.testing.assert_array_equal(sentence.attention.numpy(), expected)


def test_batches_hold_every_sentence_once_within_their_limits(tmp_path: Path) -> None:
    run, (shard,) = folder(tmp_path, by_word=False, shards=1)
    found = sentences(run, shard, attention=False)
    made = list(batches(found, 7, 200))
    assert sorted(s.example.index for b in made for s in b) == list(range(60))
    for batch in made:
        longest = max(len(s.example.words) for s in batch)
        assert len(batch) <= 7
        assert len(batch) * longest**2 <= 200


def test_padding_moves_the_ends_behind_the_longest_sentence(tmp_path: Path) -> None:
    run, (shard,) = folder(tmp_path, by_word=False, shards=1, each=9)
    found = sentences(run, shard, attention=True)
    short, long = found[0], found[-1]
    batch = collated([short, long], KindVectors(), "cpu")
    assert batch.attention is not None
    assert short.attention is not None
    count, longest = len(short.example.words), len(long.example.words)
    assert count < longest
    assert torch.equal(batch.attention[0, :, :count, longest:], short.attention[:, :count, count:])
    assert not batch.attention[0, :, count:longest].any()
    assert isinstance(short, ProbeSentence)
