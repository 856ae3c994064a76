"""Head words of constituents by Collins' rules (1999, appendix A), for Penn Treebank labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Constituent:
    """A constituent from word `start` on (from 0), or, without children, the tag of this word."""

    label: str
    start: int
    children: list[Constituent] = field(default_factory=list)

    @property
    def is_word(self) -> bool:
        """Whether it is the tag of a word."""
        return not self.children


LEFT, RIGHT = "left", "right"
#: For each label the side the search begins at, and the labels of heads by priority: the first
#: that some child has, found from that side, else the first child at that side.
RULES: dict[str, tuple[str, str]] = {
    "ADJP": (
        LEFT,
        "NNS QP NN $ ADVP JJ VBN VBG ADJP JJR NP JJS DT FW RBR RBS SBAR RB",
    ),
    "ADVP": (RIGHT, "RB RBR RBS FW ADVP TO CD JJR JJ IN NP JJS NN"),
    "CONJP": (RIGHT, "CC RB IN"),
    "FRAG": (RIGHT, ""),
    "INTJ": (LEFT, ""),
    "LST": (RIGHT, "LS :"),
    "NAC": (
        LEFT,
        "NN NNS NNP NNPS NP NAC EX $ CD QP PRP VBG JJ JJS JJR ADJP FW",
    ),
    "PP": (RIGHT, "IN TO VBG VBN RP FW"),
    "PRN": (LEFT, ""),
    "PRT": (RIGHT, "RP"),
    "QP": (LEFT, "$ IN NNS NN JJ RB DT CD NCD QP JJR JJS"),
    "RRC": (RIGHT, "VP NP ADVP ADJP PP"),
    "S": (LEFT, "TO IN VP S SBAR ADJP UCP NP"),
    "SBAR": (LEFT, "WHNP WHPP WHADVP WHADJP IN DT S SQ SINV SBAR FRAG"),
    "SBARQ": (LEFT, "SQ S SINV SBARQ FRAG"),
    "SINV": (LEFT, "VBZ VBD VBP VB MD VP S SINV ADJP NP"),
    "SQ": (LEFT, "VBZ VBD VBP VB MD VP SQ"),
    "UCP": (RIGHT, ""),
    "VP": (LEFT, "TO VBD VBN MD VBZ VB VBG VBP VP ADJP NN NNS NP"),
    "WHADJP": (LEFT, "CC WRB JJ ADJP"),
    "WHADVP": (RIGHT, "CC WRB"),
    "WHNP": (LEFT, "WDT WP WP$ WHADJP WHPP WHNP"),
    "WHPP": (RIGHT, "IN TO FW"),
}
#: What OntoNotes brackets inside of noun phrases (NML) came after Collins.
NOMINAL = ("NP", "NX", "NML")
_NOUNS = ("NN", "NNP", "NNPS", "NNS", "NX", "NML", "POS", "JJR")
PUNCTUATION = ("``", "''", ",", ".", ":", "-LRB-", "-RRB-")


def dependency_heads(tree: Constituent, words: int) -> list[int]:
    """The syntactic head of each word, from 1, 0 for the root's: that of the next constituent.

    The head word of a constituent governs those of its other children.
    """
    heads = [0] * words
    of: dict[int, int] = {}
    for constituent in _children_first(tree):
        if constituent.is_word:
            of[id(constituent)] = constituent.start
            continue
        of_children = [of[id(child)] for child in constituent.children]
        head = of[id(constituent)] = of_children[head_child(constituent)]
        for other in of_children:
            if other != head:
                heads[other] = head + 1
    return heads


def _children_first(tree: Constituent) -> list[Constituent]:
    """All constituents of a tree, however deep, each behind its children."""
    found, left = [], [tree]
    while left:
        found.append(left.pop())
        left += found[-1].children
    return found[::-1]


def head_child(constituent: Constituent) -> int:
    """Which child of a constituent holds its head word."""
    labels = [_bare(child.label) for child in constituent.children]
    label = _bare(constituent.label)
    found = _of_nominal(labels) if label in NOMINAL else _by_rule(label, labels)
    return _before_conjunction(labels, found)


def _by_rule(label: str, labels: Sequence[str]) -> int:
    side, priorities = RULES.get(label, (LEFT, ""))
    order = _order(labels, side)
    for wanted in priorities.split():
        for place in order:
            if labels[place] == wanted:
                return place
    return next((place for place in order if labels[place] not in PUNCTUATION), order[0])


def _of_nominal(labels: Sequence[str]) -> int:
    """Noun phrases have rules of their own."""
    last = len(labels) - 1
    while last > 0 and labels[last] in PUNCTUATION:
        last -= 1
    if labels[last] == "POS":
        return last
    searches: tuple[tuple[str, tuple[str, ...]], ...] = (
        (RIGHT, _NOUNS),
        (LEFT, ("NP",)),
        (RIGHT, ("$", "ADJP", "PRN")),
        (RIGHT, ("CD",)),
        (RIGHT, ("JJ", "JJS", "RB", "QP")),
    )
    for side, wanted in searches:
        for place in _order(labels, side):
            if labels[place] in wanted:
                return place
    return last


def _before_conjunction(labels: Sequence[str], found: int) -> int:
    """In a coordination the head is that of the first part: what stands before the conjunction."""
    if found > 1 and labels[found - 1] == "CC":
        before = [p for p in range(found - 1) if labels[p] not in PUNCTUATION]
        return before[-1] if before else found
    return found


def _order(labels: Sequence[str], side: str) -> list[int]:
    places = list(range(len(labels)))
    return places if side == LEFT else places[::-1]


def _bare(label: str) -> str:
    """A label without its functions: NP-SBJ is NP."""
    return label if label.startswith("-") else label.split("-")[0].split("=")[0]
