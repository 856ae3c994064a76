"""Documents to examples: sentences, cut documents, and pairs of sentence runs."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, islice

from attnray.corpus.agreement import attributes
from attnray.corpus.document import Document, Sentence
from attnray.corpus.drafts import Draft
from attnray.corpus.example import Antecedent
from attnray.corpus.mentions import head_word, mention_type
from attnray.corpus.texts import Text, joined
from attnray.corpus.units import Units, fold_of
from attnray.model.pieces import Layout, WordPieces

#: Of so many sentences the word pieces are in memory at a time.
AT_A_TIME = 512


class Segmenter:
    """Drafts the examples of a corpus, one document after another in corpus order.

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
        ways: dict[str, Callable[[Document, list[int]], Iterator[Draft]]] = {
            "sentence": self._sentences,
            "document": self._document,
            "pair": self._pairs,
        }
        self.counts: Counter[str] = Counter()
        self.log_lengths = 0.0
        self._segment = ways[kind]
        self.word_pieces = word_pieces
        self._longest = longest
        self._cut = min(max_tokens, longest)
        self._units = units
        self._seed = seed
        self._latest: Document | None = None

    def drafts(self, document: Document) -> Iterator[Draft]:
        """The examples of the next document."""
        return self._segment(document, self._units.of(document))

    def _sentences(self, document: Document, units: list[int]) -> Iterator[Draft]:
        layout = self.word_pieces.single
        texts = self._texts(document.sentences)
        for sentence, text, unit in zip(document.sentences, texts, units, strict=True):
            if text.length + layout.special > self._longest:
                self.counts["too_long"] += 1
            else:
                yield self._draft(document, sentence.id, unit, layout, [text], [])

    def _document(self, document: Document, units: list[int]) -> Iterator[Draft]:
        layout = self.word_pieces.single
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
        yield self._draft(document, "", units[0], layout, [text], mentions)

    def _pairs(self, document: Document, units: list[int]) -> Iterator[Draft]:
        layout = self.word_pieces.pair
        room = self._cut - layout.special
        chooser = random.Random(f"{self._seed}:{document.id}")
        for first, run in self._runs(document, room):
            boundaries = _boundaries(run, room)
            if not boundaries:
                self.counts["no_pair"] += 1
                continue
            boundary = chooser.choice(boundaries)
            one = joined(run[:boundary])
            texts = [one, joined(run[boundary:]).cut(room - one.length)]
            sentence = document.sentences[first].id
            yield self._draft(document, sentence, units[first], layout, texts, [])

    def _runs(self, document: Document, room: int) -> Iterator[tuple[int, list[Text]]]:
        """Consecutive sentences, at least two where there are, until `room` is full."""
        run: list[Text] = []
        length = 0
        for position, text in enumerate(self._texts(document.sentences)):
            run.append(text)
            length += text.length
            if len(run) > 1 and length >= room:
                yield position - len(run) + 1, run
                run, length = [], 0
        if run:
            yield len(document.sentences) - len(run), run

    def _texts(self, sentences: Sequence[Sentence]) -> Iterator[Text]:
        """The texts of sentences."""
        for first in range(0, len(sentences), AT_A_TIME):
            some = sentences[first : first + AT_A_TIME]
            words = list(chain.from_iterable(sentence.words for sentence in some))
            pieces = iter(self.word_pieces.split(words))
            for sentence in some:
                own = list(islice(pieces, len(sentence.words)))
                yield Text.of(sentence.words, sentence.heads, sentence.relations, own)

    def _beginning(self, document: Document, room: int) -> Text:
        """As many words of a document as fit into `room` pieces."""
        texts: list[Text] = []
        length = 0
        for sentence in document.sentences:
            texts += self._texts([sentence])
            length += texts[-1].length
            if length > room:
                break
        return joined(texts).cut(room)

    def _antecedents(self, document: Document, units: list[int], kept: int) -> list[Antecedent]:
        """The mentions that lie inside the first `kept` words, with their heads."""
        heads: list[int] = []
        where: list[tuple[Sentence, int, int]] = []
        for sentence, unit in zip(document.sentences, units, strict=True):
            start = len(heads)
            if start >= kept:
                break
            heads += [head + start if head > 0 else head for head in sentence.heads]
            where += [(sentence, word, unit) for word in range(len(sentence.words))]
        found = []
        head_of = cache(lambda start, end: head_word(start, end, heads))
        for mention in document.mentions:
            if mention.end < kept:
                head = head_of(mention.start, mention.end)
                sentence, word, unit = where[head]
                kind = mention_type(sentence.upos[word], sentence.xpos[word])
                said = attributes(sentence.words[word], sentence.feats[word], kind == "pronoun")
                fold = fold_of(self._units.name(unit, document))
                span = (mention.start, mention.end, head, mention.entity, kind, unit, fold)
                found.append(Antecedent(*span, said.number, said.gender, said.person))
        return found

    def _draft(
        self,
        document: Document,
        sentence: str,
        unit: int,
        layout: Layout,
        texts: list[Text],
        mentions: list[Antecedent],
    ) -> Draft:
        whole = joined(texts)
        draft = Draft(
            document.id,
            sentence,
            unit,
            fold_of(self._units.name(unit, document)),
            layout,
            texts,
            whole,
            mentions,
            whole.length + layout.special,
        )
        self.counts["documents"] += document is not self._latest
        self._latest = document
        self.counts["examples"] += 1
        self.log_lengths += math.log(draft.length)
        self.counts["words"] += len(whole.words)
        self.counts["pieces"] += draft.length
        self.counts["dependencies"] += whole.dependencies
        self.counts["words_without_pieces"] += whole.pieces.count([])
        return draft


def _boundaries(run: Sequence[Text], room: int) -> list[int]:
    """After how many texts of a run there is room for a word of the next ones."""
    found = []
    left = room
    for boundary in range(1, len(run)):
        left -= run[boundary - 1].length
        following = chain.from_iterable(run[i].pieces for i in range(boundary, len(run)))
        first = next(following, None)
        if left > 0 and first is not None and len(first) <= left:
            found.append(boundary)
    return found
