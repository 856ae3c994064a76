"""What relations and types of mention are in words."""

from __future__ import annotations

#: Universal Dependencies 2, and what Stanford Dependencies have beside them.
_RELATIONS = {
    "acl": "clause that modifies a noun",
    "advcl": "adverbial clause",
    "advmod": "adverb",
    "amod": "adjective",
    "appos": "apposition",
    "aux": "auxiliary verb",
    "case": "adposition or case marker",
    "cc": "coordinating conjunction",
    "ccomp": "clause as object",
    "clf": "classifier",
    "compound": "part of a compound",
    "conj": "conjunct",
    "cop": "copula",
    "csubj": "clause as subject",
    "dep": "unspecified dependency",
    "det": "determiner",
    "discourse": "discourse element",
    "dislocated": "dislocated element",
    "expl": "expletive",
    "fixed": "part of a fixed expression",
    "flat": "part of a flat expression, such as a name",
    "goeswith": "part of a word written apart",
    "iobj": "indirect object",
    "list": "item of a list",
    "mark": "marker of a subordinate clause",
    "nmod": "noun that modifies a noun",
    "nsubj": "subject",
    "nummod": "number",
    "obj": "direct object",
    "obl": "oblique noun",
    "orphan": "orphan of an ellipsis",
    "parataxis": "loosely joined clause",
    "punct": "punctuation",
    "reparandum": "repaired speech",
    "root": "root",
    "vocative": "vocative",
    "xcomp": "open clausal complement",
    "acomp": "adjective as complement",
    "auxpass": "passive auxiliary",
    "csubjpass": "clause as passive subject",
    "dobj": "direct object",
    "mwe": "part of a fixed expression",
    "neg": "negation",
    "nn": "noun in a compound",
    "npadvmod": "noun as adverb",
    "nsubjpass": "passive subject",
    "num": "number",
    "number": "part of a number",
    "pcomp": "clause of a preposition",
    "pobj": "object of a preposition",
    "poss": "possessor",
    "possessive": "possessive marker",
    "preconj": "first part of a conjunction",
    "predet": "predeterminer",
    "prep": "preposition",
    "prt": "particle of a verb",
    "quantmod": "modifier of a quantity",
    "rcmod": "relative clause",
    "tmod": "time",
    "all": "all dependencies",
    "all_but_punct": "all but punctuation",
}
_SUBTYPES = {
    "acl:relcl": "relative clause",
    "aux:pass": "passive auxiliary",
    "cc:preconj": "first part of a conjunction",
    "compound:prt": "particle of a verb",
    "csubj:pass": "clause as passive subject",
    "det:predet": "predeterminer",
    "nmod:poss": "possessor",
    "nmod:tmod": "time",
    "nsubj:pass": "passive subject",
    "obl:agent": "agent of a passive",
    "obl:tmod": "time",
}
_MENTIONS = {
    "all": "all anaphors",
    "proper": "proper names",
    "nominal": "other nouns",
}


def relation(label: str) -> str:
    """A relation in words; a subtype without words of its own has those of its type.

    Empty for a label that is none of Universal or Stanford Dependencies.
    """
    return _SUBTYPES.get(label) or _RELATIONS.get(label.partition(":")[0], "")


def mention(kind: str) -> str:
    """A type of mention in words."""
    return _MENTIONS.get(kind, "")
