"""Documents to examples: sentences, cut documents, and pairs of sentence runs."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from attnray.corpus.agreement import attributes
from attnray.corpus.document import NO_HEAD, Document, Sentence
from attnray.corpus.example import Antecedent, Example
from attnray.corpus.mentions import head_word, mention_type
from attnray.corpus.units import Units, fold_of
from attnray.model.pieces import Layout, WordPieces


@dataclass(frozen=True)
class Text:
    """A run of words of one document, with `pieces` for each of them."""

    words: list[str]
    heads: list[int]
    relations: list[str]
    pieces: list[list[int]]

    @property
    def length(self) -> int:
        """How many pieces it has."""
        return sum(map(len, self.pieces))

    def cut(self, room: int) -> Text:
        """Its first words, as many as fit into `room` pieces."""
        kept = bisect_right(list(accumulate(map(len, self.pieces))), room)
        heads = [head if head <= kept else NO_HEAD for head in self.heads[:kept]]
        return Text(self.words[:kept], heads, self.relations[:kept], self.pieces[:kept])


class Segmenter:
    """Makes the examples of a corpus, one document after another in corpus order.

    `counts` gathers the rows of the table `corpus`: what there is, and what was left out;
    `log_lengths` the sum of ln(length), which is the entropy of uniform attention in nats.

    Args:
        kind: sentence, document or pair.
        word_pieces: the model's tokenizer.
        longest: the most pieces the model accepts, special tokens included.
        max_tokens: what documents and pairs are cut to, special tokens included.
        units: numbers the units of intervals and folds.
        seed: chooses the boundary between the two texts of a pair.
    """

    def __init__(
        self,
        kind: str,
        word_pieces: WordPieces,
        longest: int,
        max_tokens: int,
        units: Units,
        seed: int,
    ) -> None:
        ways: dict[str, Callable[[Document, list[int]], Iterator[Example]]] = {
            "sentence": self._sentences,
            "document": self._document,
            "pair": self._pairs,
        }
        self.counts: Counter[str] = Counter()
        self.log_lengths = 0.0
        self._segment = ways[kind]
        self._word_pieces = word_pieces
        self._longest = longest
        self._cut = min(max_tokens, longest)
        self._units = units
        self._seed = seed
        self._latest: Document | None = None

    def examples(self, document: Document) -> Iterator[Example]:
        """The examples of the next document."""
        return self._segment(document, self._units.of(document))

    def _sentences(self, document: Document, units: list[int]) -> Iterator[Example]:
        layout = self._word_pieces.single
        for sentence, unit in zip(document.sentences, units, strict=True):
            text = self._text(sentence)
            if text.length + layout.special > self._longest:
                self.counts["too_long"] += 1
            else:
                yield self._example(document, sentence.id, unit, layout, [text], [])

    def _document(self, document: Document, units: list[int]) -> Iterator[Example]:
        layout = self._word_pieces.single
        text = self._beginning(document, self._cut - layout.special)
        total = sum(len(sentence.words) for sentence in document.sentences)
        self.counts["words_past_cut"] += total - len(text.words)
        self.counts.update(document.left_out)
        mentions = self._antecedents(document, units, len(text.words))
        self.counts["mentions_past_cut"] += len(document.mentions) - len(mentions)
        if not text.words:
            self.counts["no_word_fits"] += 1
            return
        self.counts["mentions"] += len(mentions)
        yield self._example(document, "", units[0], layout, [text], mentions)

    def _pairs(self, document: Document, units: list[int]) -> Iterator[Example]:
        layout = self._word_pieces.pair
        room = self._cut - layout.special
        chooser = random.Random(f"{self._seed}:{document.id}")
        for first, run in self._runs(document, room):
            boundaries = [b for b in range(1, len(run)) if _second(run, b, room).words]
            if not boundaries:
                self.counts["no_pair"] += 1
                continue
            boundary = chooser.choice(boundaries)
            texts = [_joined(run[:boundary]), _second(run, boundary, room)]
            sentence = document.sentences[first].id
            yield self._example(document, sentence, units[first], layout, texts, [])

    def _runs(self, document: Document, room: int) -> Iterator[tuple[int, list[Text]]]:
        """Consecutive sentences, at least two where there are, until `room` is full."""
        run: list[Text] = []
        for position, sentence in enumerate(document.sentences):
            run.append(self._text(sentence))
            if len(run) > 1 and sum(text.length for text in run) >= room:
                yield position - len(run) + 1, run
                run = []
        if run:
            yield len(document.sentences) - len(run), run

    def _text(self, sentence: Sentence) -> Text:
        pieces = self._word_pieces.split(sentence.words)
        return Text(sentence.words, sentence.heads, sentence.relations, pieces)

    def _beginning(self, document: Document, room: int) -> Text:
        """As many words of a document as fit into `room` pieces."""
        texts: list[Text] = []
        length = 0
        for sentence in document.sentences:
            texts.append(self._text(sentence))
            length += texts[-1].length
            if length > room:
                break
        return _joined(texts).cut(room)

    def _antecedents(self, document: Document, units: list[int], kept: int) -> list[Antecedent]:
        """The mentions that lie inside the first `kept` words, with their heads."""
        heads: list[int] = []
        where: list[tuple[Sentence, int, int]] = []
        for start, sentence, unit in _starts(document, units):
            heads += [head + start if head > 0 else head for head in sentence.heads]
            where += [(sentence, word, unit) for word in range(len(sentence.words))]
        found = []
        for mention in document.mentions:
            if mention.end < kept:
                head = head_word(mention.start, mention.end, heads)
                sentence, word, unit = where[head]
                kind = mention_type(sentence.upos[word], sentence.xpos[word])
                said = attributes(sentence.words[word], sentence.feats[word], kind == "pronoun")
                fold = fold_of(self._units.name(unit, document))
                span = (mention.start, mention.end, head, mention.entity, kind, unit, fold)
                found.append(Antecedent(*span, said.number, said.gender, said.person))
        return found

    def _example(
        self,
        document: Document,
        sentence: str,
        unit: int,
        layout: Layout,
        texts: list[Text],
        mentions: list[Antecedent],
    ) -> Example:
        pieces, types, roles, word_of_piece = self._tokens(layout, texts)
        whole = _joined(texts)
        self.counts["documents"] += document is not self._latest
        self._latest = document
        self.counts["examples"] += 1
        self.log_lengths += math.log(len(pieces))
        self.counts["words"] += len(whole.words)
        self.counts["pieces"] += len(pieces)
        self.counts["dependencies"] += sum(
            head > 0 and bool(relation)
            for head, relation in zip(whole.heads, whole.relations, strict=True)
        )
        self.counts["words_without_pieces"] += sum(not p for p in whole.pieces)
        return Example(
            index=self.counts["examples"] - 1,
            document=document.id,
            sentence=sentence,
            unit=unit,
            fold=fold_of(self._units.name(unit, document)),
            batch=-1,
            pieces=np.array(pieces, np.int32),
            tokens=[self._word_pieces.spelling(piece) for piece in pieces],
            types=np.array(types, np.int8),
            roles=np.array(roles, np.int8),
            word_of_piece=np.array(word_of_piece, np.int32),
            words=whole.words,
            heads=whole.heads,
            relations=whole.relations,
            mentions=mentions,
        )

    def _tokens(
        self, layout: Layout, texts: list[Text]
    ) -> tuple[list[int], list[int], list[int], list[int]]:
        """Ids, types, roles and words of all tokens, special ones included."""
        pieces: list[int] = []
        types: list[int] = []
        roles: list[int] = []
        word_of_piece: list[int] = []

        def special(ids: list[int], kind: int) -> None:
            pieces.extend(ids)
            types.extend([kind] * len(ids))
            roles.extend(int(self._word_pieces.role_of_special(piece)) for piece in ids)
            word_of_piece.extend([-1] * len(ids))

        words = 0
        special(layout.before, layout.types[0])
        for number, text in enumerate(texts):
            for split in text.pieces:
                pieces.extend(split)
                types.extend([layout.types[number]] * len(split))
                roles.extend(int(self._word_pieces.role_of_piece(piece)) for piece in split)
                word_of_piece.extend([words] * len(split))
                words += 1
            last = number == len(texts) - 1
            special(layout.after if last else layout.between, layout.types[number])
        return pieces, types, roles, word_of_piece


def _joined(texts: list[Text]) -> Text:
    words: list[str] = []
    heads: list[int] = []
    for text in texts:
        heads += [head + len(words) if head > 0 else head for head in text.heads]
        words += text.words
    relations = [relation for text in texts for relation in text.relations]
    return Text(words, heads, relations, [split for text in texts for split in text.pieces])


def _second(run: list[Text], boundary: int, room: int) -> Text:
    """The second text of a pair, cut to what the first leaves."""
    left = room - sum(text.length for text in run[:boundary])
    return _joined(run[boundary:]).cut(left) if left > 0 else _joined([])


def _starts(document: Document, units: list[int]) -> Iterator[tuple[int, Sentence, int]]:
    """Each sentence with the number of words before it and its unit."""
    start = 0
    for sentence, unit in zip(document.sentences, units, strict=True):
        yield start, sentence, unit
        start += len(sentence.words)
