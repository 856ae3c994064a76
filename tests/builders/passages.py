"""Random passages of GAP's form: a pronoun, two names, and which of them it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from attnray.corpus.document import Document, Mention, Sentence
from tests.builders.gap_oracle import NAMES, Passage
from tests.builders.oracle import Case
from tests.builders.random_maps import FEATS

FORMS = ["Rex", "Ann", "her", "dog", "ab"]
PRONOUNS = ["he", "She", "his", "HER", "him", "hers", "it"]


@dataclass
class Draft:
    """A passage to be: its words, and the first and last word of the pronoun and the names."""

    words: list[str]
    feats: list[str]
    spans: dict[str, tuple[int, int]]
    coref: dict[str, bool]

    def document(self, name: str) -> Document:
        count = len(self.words)
        upos = [""] * count
        entities = {"P": "x", **{n: "x" if self.coref[n] else n for n in NAMES}}
        for of, (_, last) in self.spans.items():
            upos[last] = "PRON" if of == "P" else "PROPN"
        empty = [""] * count
        sentence = Sentence("", self.words, upos, empty, [-1] * count, empty, self.feats)
        mentions = [Mention(*span, entities[of]) for of, span in self.spans.items()]
        return Document(name, [sentence], sorted(mentions))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    words: list[str] = []
    spans = {}
    for of in draw(st.permutations(["P", *NAMES])):
        words += draw(st.lists(st.sampled_from(FORMS), max_size=2))
        forms = PRONOUNS if of == "P" else FORMS
        form = draw(st.lists(st.sampled_from(forms), min_size=1, max_size=1 + (of != "P")))
        spans[of] = (len(words), len(words) + len(form) - 1)
        words += form
    feats = [""] * len(words)
    for name in NAMES:
        feats[spans[name][1]] = draw(st.sampled_from(FEATS))
    coref = {name: draw(st.booleans()) for name in NAMES}
    return Draft(words, feats, spans, coref)


def passages_of(
    drafted: Sequence[Draft], cases: Sequence[Case], names: Sequence[str]
) -> list[Passage]:
    """The passages whose pronoun and names are in the example."""
    return [
        Passage(name, case, draft.spans["P"][1], {n: draft.spans[n][1] for n in NAMES}, draft.coref)
        for draft, case, name in zip(drafted, cases, names, strict=True)
        if max(last for _, last in draft.spans.values()) < len(case.words)
    ]
