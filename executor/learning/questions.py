"""Questions: what may be asked of a moment, with the true answer. Only what its pictures can show is asked.

Yes and no come in pairs, so that neither can be guessed; the false ones are about things that are near each other.
Not for: drawing moments (moments), or joining all this into examples (visual_questions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from executor.learning.captions import caption, with_article
from executor.learning.moments import Moment
from robots.tabletop.layout import DRAWER_CLOSED_M, DRAWER_OPEN_M
from robots.tabletop.names import BLOCK_COLOURS, COLOURS_OF, DISTRACTOR_SHAPES, NEUTRAL_COLOURS
from rt2.training.examples import CAPTION_PROMPT, Kind
from skills.geometry import block_on, horizontal_distance_m
from skills.literals import Literal
from skills.predicates import past_line_m

LEAST_PIXELS = 8  # in one of the pictures: what shows less is not asked about
LOCATIONS = 256
NEAR_LINE_M = 0.012  # a block so near to a zone's line is not asked about
NEAR_M = 0.03
TABLE_WEIGHT = 0.3  # of questions about what is on the table, beside those about blocks and pads
COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven")
WAYS: Mapping[str, str] = {
    "left": "to the left",
    "right": "to the right",
    "front": "at the front",
    "back": "at the back",
}

TEMPLATES: Mapping[str, str] = {
    "on": "is the {0} on the {1}?",
    "in": "is the {0} in the {1}?",
    "open": "is the drawer open?",
    "closed": "is the drawer closed?",
    "lit": "is the lamp lit?",
    "holds": "does the hand hold the {0}?",
    "held": "what does the hand hold?",
    "count in": "how many blocks are in the {0}?",
    "count": "how many blocks do you see?",
    "upper": "what is on the {0}?",
    "lower": "what is the {0} on?",
    "around": "what is the {0} in?",
    "upper colour": "what colour is the block on the {0}?",
    "colour": "what colour is the {0}?",
    "there": "is there {0}?",
    "zone": "is the {0} {1}?",
    "where": "where is the {0}?",
    "caption": CAPTION_PROMPT,
}


@dataclass(frozen=True)
class Question:
    """A prompt with its true answer. about: the things it names, in order."""

    prompt: str
    answer: str
    about: tuple[str, ...] = ()
    kind: Kind = "ask"


Maker: TypeAlias = Callable[[Moment, np.random.Generator], Sequence[Question]]


def visible(moment: Moment, category: str | None = None) -> list[str]:
    """Names of what a picture shows well enough, of one category or all."""
    names = [n for n in moment.state.objects if any(p.get(n, 0) >= LEAST_PIXELS for p in moment.pixels.values())]
    return [n for n in names if category is None or moment.state.objects[n].category == category]


def _ask(template: str, answer: str | bool, *about: str) -> Question:
    said = ("no", "yes")[answer] if isinstance(answer, bool) else answer
    return Question(TEMPLATES[template].format(*about), said, tuple(n for n in about if n != "table"))


def _on(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    lowers = [*visible(moment, "block"), *visible(moment, "pad"), "table"]
    return _related("on", moment, lowers, rng)


def _in(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    return _related("in", moment, [*visible(moment, "bowl"), *_open_drawer(moment)], rng)


def _related(predicate: str, moment: Moment, others: Sequence[str], rng: np.random.Generator) -> Sequence[Question]:
    """A true and a false one with the same kind of lower thing; false ones of near things are likelier."""
    pairs = [(a, b) for a, b in product(visible(moment, "block"), others) if a != b]
    kinds = moment.symbolic.objects
    true = [pair for pair in pairs if Literal(predicate, pair) in moment.symbolic.facts]
    false = [pair for pair in pairs if pair not in set(true)]
    both = sorted({kinds[b] for _, b in true} & {kinds[b] for _, b in false})
    if not both:
        return ()
    weights = np.array([TABLE_WEIGHT if k == "table" else 1.0 for k in both])
    kind = both[int(rng.choice(len(both), p=weights / weights.sum()))]
    true, false = ([pair for pair in some if kinds[pair[1]] == kind] for some in (true, false))
    at = {name: thing.position_m for name, thing in moment.state.objects.items()}
    gaps = [0.1 if b == "table" else horizontal_distance_m(at[a], at[b]) for a, b in false]
    shares = np.array([(gap + NEAR_M) ** -2 for gap in gaps])
    yes, no = true[int(rng.integers(len(true)))], false[int(rng.choice(len(false), p=shares / shares.sum()))]
    return _ask(predicate, True, *yes), _ask(predicate, False, *no)


def _open_drawer(moment: Moment) -> list[str]:
    return [n for n in visible(moment, "drawer") if moment.state.joints[n] >= DRAWER_OPEN_M]


def _drawer(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    if not visible(moment, "drawer"):
        return ()
    out_m = moment.state.joints["drawer"]
    if rng.random() < 0.5:
        return (_ask("open", out_m >= DRAWER_OPEN_M),)
    return (_ask("closed", out_m <= DRAWER_CLOSED_M),) if not DRAWER_CLOSED_M < out_m < DRAWER_OPEN_M else ()


def _lamp(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    lit = moment.state.switches.get("lamp", False)
    return (_ask("lit", lit),) if visible(moment, "lamp") and (lit or rng.random() < 0.4) else ()


def _hand(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    """What is gripped but stands on something still is neither held nor not."""
    held, seen = moment.state.hand.held, visible(moment, "block")
    others = [n for n in seen if n != held]
    if moment.gripped != held or not others or not (held is None or held in seen):
        return ()
    other = others[int(rng.integers(len(others)))]
    if held is not None:
        wrong = (_ask("holds", False, other),) if rng.random() < 0.5 else ()
        return _ask("holds", True, held), Question(TEMPLATES["held"], held), *wrong
    drawn = rng.random()  # mostly the hand is empty: not asked as often as it is so
    if drawn < 0.15:
        return (_ask("holds", False, other),)
    return (Question(TEMPLATES["held"], "nothing"),) if drawn < 0.55 else ()


def _count_in(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    containers = [*visible(moment, "bowl"), *_open_drawer(moment)]
    if not containers:
        return ()
    name, seen = containers[int(rng.integers(len(containers)))], visible(moment, "block")
    inside = [n for n in moment.symbolic.resting.get(name, ()) if n in moment.state.objects]
    if not all(n in seen for n in inside) or (not inside and rng.random() < 0.7):
        return ()
    return (_ask("count in", COUNTS[len(inside)], name),)


def _count(moment: Moment, _rng: np.random.Generator) -> Sequence[Question]:
    blocks = moment.symbolic.of_category("block")
    seen = visible(moment, "block")
    faint = [n for n in blocks if n not in seen and any(p.get(n, 0) for p in moment.pixels.values())]
    return () if faint or len(seen) >= len(COUNTS) else (_ask("count", COUNTS[len(seen)]),)


def _upper(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    """What stands on a thing; in half of the draws only its colour."""
    lowers = [*visible(moment, "block"), *visible(moment, "pad")]
    uppers = {lower: moment.symbolic.resting.get(lower, ()) for lower in lowers}
    full = [n for n in lowers if len(uppers[n]) == 1 and uppers[n][0] in visible(moment)]
    empty = [n for n in lowers if not uppers[n] and block_on(moment.state, n) is None and n != moment.gripped]
    if not full:
        return ()
    lower = full[int(rng.integers(len(full)))]
    upper = uppers[lower][0]
    if rng.random() < 0.5:
        return (_ask("upper colour", upper.split(" ")[0], lower),)
    none = [_ask("upper", "nothing", empty[int(rng.integers(len(empty)))])] if empty and rng.random() < 0.5 else []
    return [_ask("upper", upper, lower), *none]


def _lower(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    seen = [*visible(moment), "table"]
    blocks = [n for n in visible(moment, "block") if moment.symbolic.support.get(n) in seen]
    on_something = [n for n in blocks if moment.symbolic.support[n] != "table" or rng.random() < 0.4]
    if not on_something:
        return ()
    name = on_something[int(rng.integers(len(on_something)))]
    below = moment.symbolic.support[name]
    inside = Literal("in", (name, below)) in moment.symbolic.facts
    return (_ask("around" if inside else "lower", below, name),)


def _colour(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    """Of the only bowl, pad or distractor of its kind."""
    names = [n for n in moment.state.objects if " " in n]
    shapes = [n.split(" ")[1] for n in names]
    alone = [n for n, shape in zip(names, shapes, strict=True) if shapes.count(shape) == 1 and n in visible(moment)]
    if not alone:
        return ()
    name = alone[int(rng.integers(len(alone)))]
    colour, shape = name.split(" ")
    return (Question(TEMPLATES["colour"].format(shape), colour, (name,)),)


def _there(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    """One that is seen, and one that is not in the scene: its colour or its kind is another."""
    seen = [n for n in visible(moment) if " " in n]
    if not seen:
        return ()
    yes = seen[int(rng.integers(len(seen)))]
    colour, shape = yes.split(" ")
    is_distractor = shape in DISTRACTOR_SHAPES
    shapes = DISTRACTOR_SHAPES if is_distractor else ("block", "bowl", "pad")
    same_colour = [f"{colour} {s}" for s in shapes if colour in COLOURS_OF[s]]
    colours = NEUTRAL_COLOURS if is_distractor else BLOCK_COLOURS
    same_shape = [f"{c} {shape}" for c in colours if c in COLOURS_OF[shape]]
    absent = [n for n in (same_colour if rng.random() < 0.3 else same_shape) if n not in moment.state.objects]
    if not absent:
        return ()
    no = absent[int(rng.integers(len(absent)))]
    return (
        Question(TEMPLATES["there"].format(with_article(yes)), "yes", (yes,)),
        Question(TEMPLATES["there"].format(with_article(no)), "no", (no,)),
    )


def _zone(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    """One block that is past a zone's line, and one that is not."""
    on_something = {fact.arguments[0] for fact in moment.symbolic.facts if fact.predicate == "on"}
    standing = [name for name in visible(moment, "block") if name in on_something]
    zone = list(WAYS)[int(rng.integers(len(WAYS)))]
    past_m = {name: past_line_m(moment.state, name, zone) for name in standing}
    true = [name for name in standing if past_m[name] > NEAR_LINE_M]
    false = [name for name in standing if past_m[name] < -NEAR_LINE_M]
    if not true or not false:
        return ()
    yes, no = true[int(rng.integers(len(true)))], false[int(rng.integers(len(false)))]
    template, way = TEMPLATES["zone"], WAYS[zone]
    return Question(template.format(yes, way), "yes", (yes,)), Question(template.format(no, way), "no", (no,))


def _where(moment: Moment, rng: np.random.Generator) -> Sequence[Question]:
    seen = [n for n in visible(moment) if moment.pixels["front"].get(n, 0) >= LEAST_PIXELS]
    if not seen:
        return ()
    name = seen[int(rng.integers(len(seen)))]
    x, y = (min(LOCATIONS - 1, int(float(v) * LOCATIONS)) for v in moment.places["front"][name][:2])
    return (Question(TEMPLATES["where"].format(name), f"{x} {y}", (name,), "locate"),)


def _caption(moment: Moment, _rng: np.random.Generator) -> Sequence[Question]:
    text = caption(moment, visible(moment))
    return () if text is None else (Question(CAPTION_PROMPT, text, (), "caption"),)


MAKERS: tuple[tuple[Maker, float], ...] = (
    (_on, 0.17),
    (_in, 0.11),
    (_where, 0.18),
    (_hand, 0.11),
    (_there, 0.08),
    (_caption, 0.07),
    (_upper, 0.06),
    (_lower, 0.05),
    (_drawer, 0.05),
    (_lamp, 0.03),
    (_count_in, 0.04),
    (_count, 0.02),
    (_colour, 0.03),
    (_zone, 0.05),
)
"""Kinds of questions with their weights; those about what is on or in what count most, as they are the hardest."""
