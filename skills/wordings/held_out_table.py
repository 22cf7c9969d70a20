"""The wordings that no training ever uses: structures, verbs and nouns kept for tests of generalisation, and noise.

Words of the noun tier can be known only to a model whose language was pretrained. Not for: training (training_table).
"""

from __future__ import annotations

from collections.abc import Mapping

HELD_OUT_STRUCTURES: Mapping[str, tuple[str, ...]] = {
    "pick up the {object}": (
        "pick the {object} up",
        "lift the {object} up",
        "the {object}, pick it up",
        "get your hand around the {object} and lift it",
        "i want the {object} in your hand",
        "can you get hold of it, the {object}",
    ),
    "place it in the {container}": (
        "into the {container} it goes",
        "inside the {container} put it",
        "lower what you hold down into the {container}",
        "what you hold goes inside the {container}",
        "let it drop into the {container}",
        "i want what you hold inside the {container}",
    ),
    "place it on the {target}": (
        "onto the {target} it goes",
        "on the {target} put it down",
        "what you hold goes on top of the {target}",
        "lower what you hold down onto the {target}",
        "let it go on top of the {target}",
        "i want what you hold on the {target}",
    ),
    "push the {block} to the {direction}": (
        "the {block}, push it {direction}",
        "{direction}, move the {block}",
        "i want you to make the {block} slide {direction}",
        "give a push {direction} to the {block}",
        "can you get the {block} to go {direction}",
        "with your hand slide the {block} {direction}",
    ),
    "open the {drawer}": (
        "the {drawer}, open it",
        "pull on the {drawer} to open it",
        "by the handle slide the {drawer} open",
        "give the handle of the {drawer} a pull",
        "i want you to get the {drawer} out",
        "draw open the {drawer}",
    ),
    "close the {drawer}": (
        "the {drawer}, close it",
        "push on the {drawer} to close it",
        "get the {drawer} back in",
        "by the handle push the {drawer} in",
        "i want you to make the {drawer} closed",
        "slide closed the {drawer}",
    ),
    "press the {button}": (
        "the {button}, press it",
        "down with the {button}",
        "with your hand press the {button}",
        "the {button} goes down",
        "i want the {button} down",
        "give a push down to the {button}",
    ),
}
"""Words of the training table, put together as no training template does."""

HELD_OUT_VERBS: Mapping[str, tuple[str, ...]] = {
    "pick up the {object}": (
        "fetch the {object}",
        "snatch the {object}",
        "seize the {object}",
        "collect the {object}",
        "clutch the {object}",
        "retrieve the {object}",
        "hoist the {object}",
        "scoop up the {object}",
    ),
    "place it in the {container}": (
        "stash it in the {container}",
        "deposit it in the {container}",
        "tuck it into the {container}",
        "toss it into the {container}",
        "stow it in the {container}",
        "dump it in the {container}",
        "pop it into the {container}",
        "insert it into the {container}",
    ),
    "place it on the {target}": (
        "deposit it on the {target}",
        "rest it on the {target}",
        "balance it on the {target}",
        "perch it on the {target}",
        "park it on the {target}",
        "plant it on the {target}",
        "pop it on the {target}",
        "position it on the {target}",
    ),
    "push the {block} to the {direction}": (
        "shove the {block} {direction}",
        "scoot the {block} {direction}",
        "shift the {block} {direction}",
        "sweep the {block} {direction}",
        "propel the {block} {direction}",
        "thrust the {block} {direction}",
        "steer the {block} {direction}",
        "drive the {block} {direction}",
    ),
    "open the {drawer}": (
        "tug the {drawer} open",
        "yank the {drawer} out",
        "pry the {drawer} open",
        "extend the {drawer}",
        "jerk the {drawer} open",
        "haul out the {drawer}",
        "extract the {drawer}",
        "unseal the {drawer}",
    ),
    "close the {drawer}": (
        "shut the {drawer}",
        "slam the {drawer}",
        "seal the {drawer}",
        "bang the {drawer} closed",
        "shove the {drawer} in",
        "retract the {drawer}",
        "secure the {drawer}",
        "thrust the {drawer} back in",
    ),
    "press the {button}": (
        "jab the {button}",
        "poke the {button}",
        "punch the {button}",
        "strike the {button}",
        "depress the {button}",
        "activate the {button}",
        "trigger the {button}",
        "smack the {button}",
    ),
}

HELD_OUT_NOUNS: Mapping[str, tuple[str, ...]] = {
    "block": ("brick", "dice"),
    "bowl": ("dish", "vessel"),
    "pad": ("tile", "rug"),
    "drawer": ("compartment", "sliding box"),
    "button": ("knob", "buzzer"),
    "table": ("surface", "counter"),
    "left": ("left edge", "west"),
    "right": ("right edge", "east"),
    "front": ("far edge", "north"),
    "back": ("near edge", "south"),
}
"""The last word of a name, or a direction as canonical sentences say it → words for it that are never trained on."""

HELD_OUT_COLOURS: Mapping[str, tuple[str, ...]] = {
    "red": ("crimson", "scarlet"),
    "green": ("lime", "emerald"),
    "blue": ("azure", "navy"),
    "yellow": ("golden", "lemon"),
    "purple": ("violet", "lavender"),
    "orange": ("amber", "tangerine"),
    "cyan": ("turquoise", "aqua"),
    "brown": ("chocolate", "tan"),
    "pink": ("rose", "magenta"),
}

HELD_OUT_FRAMES = (
    "would you kindly {}",
    "your task is to {}",
    "go ahead: {}",
    "{}, if you do not mind",
    "i need you to {}",
    "{}, thanks",
)

NOISE = (
    "",
    " ",
    "\n\t",
    "?",
    "...",
    "12345",
    "x",
    "asdf qwer zxcv",
    "blorp the frindle to the wug",
    "the the the the",
    "red",
    "of the",
    "do nothing",
    "stay where you are",
    "hello robot",
    "thank you",
    "what time is it",
    "sing a song",
    "play the next track",
    "make me a coffee",
    "call my mother",
    "water the plants",
    "drive the car to the station",
    "feed the cat",
    "colourless ideas sleep furiously",
)
