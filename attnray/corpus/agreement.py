"""Number, gender and person of a mention, and whether two agree, for the coreference sieve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

#: The values a corpus leaves open, or gives several of: `Gender=Fem,Masc`.
Values = frozenset[str]
UNKNOWN: Values = frozenset()


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a head word says of its mention; an empty attribute agrees with any."""

    number: str = ""
    gender: str = ""
    person: str = ""


def _table(*lines: str) -> dict[str, Attributes]:
    """Attributes by form, from lines of `number gender person: forms`, `-` for none."""
    table: dict[str, Attributes] = {}
    for line in lines:
        values, _, forms = line.partition(":")
        number, gender, person = (value.replace("-", "") for value in values.split())
        table |= dict.fromkeys(forms.split(), Attributes(number, gender, person))
    return table


#: English pronouns, for what their features leave open.
PRONOUNS = _table(
    "Sing - 1: i me my mine myself",
    "Plur - 1: we us our ours ourselves",
    "- - 2: you your yours",
    "Sing - 2: yourself",
    "Plur - 2: yourselves",
    "Sing Masc 3: he him his himself",
    "Sing Fem 3: she her hers herself",
    "Sing Neut 3: it its itself",
    "Plur - 3: they them their theirs themselves",
    "Sing - 3: themself oneself",
    "Sing - -: this that one",
    "Plur - -: these those",
)


def attributes(form: str, feats: str, pronoun: bool) -> Attributes:
    """The attributes of a head word.

    Args:
        form: the word.
        feats: its features as CoNLL-U has them, `Gender=Fem|Number=Sing`; may be empty.
        pronoun: whether the closed lists tell what the features do not.
    """
    stated = dict(f.split("=", 1) for f in feats.split("|") if "=" in f)
    listed = PRONOUNS.get(form.casefold(), Attributes()) if pronoun else Attributes()
    return Attributes(
        stated.get("Number", listed.number),
        stated.get("Gender", listed.gender),
        stated.get("Person", listed.person),
    )


@lru_cache(4096)
def agree(one: Attributes, other: Attributes) -> bool:
    """Whether nothing speaks against two mentions being one: a missing value agrees with any."""
    pairs = zip(_values(one), _values(other), strict=True)
    return all(not a or not b or bool(a & b) for a, b in pairs)


def _values(of: Attributes) -> tuple[Values, Values, Values]:
    return tuple(  # type: ignore[return-value]
        frozenset(value.split(",")) if value else UNKNOWN
        for value in (of.number, of.gender, of.person)
    )
