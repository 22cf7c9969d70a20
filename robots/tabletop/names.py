"""Names of things on the tabletop: colour + category, or a fixture. Which exist, and reading them.

Not for: sizes (layout), bodies (objects) or where things stand (placement).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEEN_COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
UNSEEN_COLOURS = ("cyan", "brown", "pink")  # never in robot data
NEUTRAL_COLOURS = ("grey", "white", "black")  # of distractors only
BLOCK_COLOURS = (*SEEN_COLOURS, *UNSEEN_COLOURS)
PAD_COLOURS = ("red", "green", "blue", "yellow")

FIXTURES = ("drawer", "button", "lamp")
TABLE = "table"
DISTRACTOR_SHAPES = ("can", "mug", "box", "bottle")
COLOURS_OF: Mapping[str, tuple[str, ...]] = {
    "block": BLOCK_COLOURS,
    "bowl": BLOCK_COLOURS,
    "pad": PAD_COLOURS,
    **dict.fromkeys(DISTRACTOR_SHAPES, (*NEUTRAL_COLOURS, *BLOCK_COLOURS)),
}


class SceneError(ValueError):
    """A scene that cannot be built; the message names what is wrong and what would be valid."""


@dataclass(frozen=True)
class Thing:
    """A loose thing's name taken apart. category: block, bowl, pad or distractor; shape: the last word of the name."""

    name: str
    colour: str
    shape: str

    @property
    def category(self) -> str:
        return "distractor" if self.shape in DISTRACTOR_SHAPES else self.shape


def tidy(text: str) -> str:
    """Lower case, single spaces."""
    return " ".join(text.lower().split())


def read_thing(name: str) -> Thing:
    """The loose thing of that name. Raises SceneError naming the categories or colours there are."""
    colour, _, shape = tidy(name).rpartition(" ")
    if shape not in COLOURS_OF:
        shapes = (*COLOURS_OF, *FIXTURES)
        raise SceneError(
            f"no object '{name}': names are a colour and one of {', '.join(COLOURS_OF)} (as 'red block'), "
            f"or {', '.join(FIXTURES)}{nearest(shape, shapes)}"
        )
    if not colour:
        raise SceneError(f"'{name}' lacks a colour, as in '{COLOURS_OF[shape][0]} {shape}'")
    if colour not in COLOURS_OF[shape]:
        raise SceneError(
            f"no {shape} is '{colour}'; {shape}s are {', '.join(COLOURS_OF[shape])}{nearest(colour, COLOURS_OF[shape])}"
        )
    return Thing(f"{colour} {shape}", colour, shape)


def nearest(word: str, choices: Iterable[str]) -> str:
    """'; did you mean 'red block'?' or nothing."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
