"""How behaviours of heads look in figures."""

from __future__ import annotations

from dataclasses import dataclass

from attnray.report.drawing.canvas import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION


@dataclass(frozen=True)
class BehaviourLook:
    """A behaviour by its name in the tables, and how its heads are drawn."""

    name: str
    label: str
    colour: str
    marker: str


#: In the order of docs/definitions.md. What points to the right looks forward.
BEHAVIOUR_LOOKS = (
    BehaviourLook("next", "next token", BLUE, ">"),
    BehaviourLook("previous", "previous token", SKY, "<"),
    BehaviourLook("cls", "[CLS]", GREEN, "s"),
    BehaviourLook("sep", "[SEP]", VERMILION, "^"),
    BehaviourLook("punctuation", '"." or ","', PURPLE, "D"),
    BehaviourLook("broad", "broad", ORANGE, "o"),
    BehaviourLook("other", "other", GREY, "x"),
)
