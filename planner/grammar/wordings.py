"""Single clauses for generation: what is meant (options of literals) and one of many ways to say it.

A maker takes a state and a random source and returns a clause that makes sense there, or None. To widen the
generated language, add a maker to CLAUSES (or LAST_CLAUSES for what only makes sense at the end).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from planner.grammar.choosing import best_first
from planner.grammar.naming import WORDS_FOR, colour_word, list_of, name
from planner.grammar.options import Option, tower
from planner.grammar.references import colour_of
from planner.grammar.vocabulary import VERBS
from planner.grammar.words import inflections
from skills.literals import Literal
from skills.symbolic_state import BOWL_CAPACITY, DRAWER_CAPACITY, STACK_LIMIT, SymbolicState

_PUT = tuple(v for v in VERBS["put"].split("/") if v not in ("collect", "gather", "return", "add", "insert"))
_IN = ("in", "into", "inside")
_ON = ("on", "onto", "on top of")


@dataclass(frozen=True)
class Clause:
    """verb and rest make the text. tellings: options for each deed in it, in order ("pick it up and put it …")."""

    verb: str
    rest: str
    tellings: tuple[tuple[Option, ...], ...]
    away: bool = False

    @property
    def text(self) -> str:
        return f"{self.verb} {self.rest}"

    @property
    def gerund(self) -> str:
        return f"{' '.join(tuple(inflections(tuple(self.verb.split())))[2])} {self.rest}"

    @property
    def options(self) -> tuple[Option, ...]:
        return self.tellings[-1]


@dataclass(frozen=True)
class Fact:
    """A condition as text and literal."""

    text: str
    literal: Literal


Maker: TypeAlias = Callable[[SymbolicState, random.Random], "Clause | None"]


# ---- naming things


def _blocks(state: SymbolicState) -> list[str]:
    return [n for n in state.of_category("block") if n not in state.hidden]


def _verb(rng: random.Random) -> str:
    return rng.choice(("put", "put", "put", "place", "move", *_PUT))


def _room(state: SymbolicState, container: str) -> int:
    capacity = BOWL_CAPACITY if state.objects[container] == "bowl" else DRAWER_CAPACITY
    return capacity - len(state.resting.get(container, ()))


def _into(container: str, rng: random.Random) -> str:
    return f"{rng.choice(_IN)} {name(container, rng)}"


def _single(*literals: Literal) -> tuple[Option, ...]:
    return (tuple(literals),)


# ---- makers


def put_in(state: SymbolicState, rng: random.Random) -> Clause | None:
    """One to three blocks into a bowl or the drawer."""
    containers = [*state.of_category("bowl"), *state.of_category("drawer")]
    blocks = _blocks(state)
    if not containers or not blocks:
        return None
    container = rng.choice(containers)
    chosen = rng.sample(blocks, min(rng.choice((1, 1, 1, 2, 2, 3)), len(blocks)))
    fresh = [b for b in chosen if state.support.get(b) != container]
    if len(fresh) != len(chosen) or len(chosen) > _room(state, container):
        return None
    meaning = _single(*(Literal("in", (b, container)) for b in chosen))
    who = name(chosen[0], rng, state) if len(chosen) == 1 else list_of(chosen, rng)
    if len(chosen) == 1 and rng.random() < 0.15:
        grab = rng.choice(("pick up", "grab", "lift", "grasp"))
        both = (_single(Literal("holding", (chosen[0],))), meaning)
        return Clause(grab, f"{who} and {rng.choice(('put', 'place', 'drop'))} it {_into(container, rng)}", both)
    return Clause(_verb(rng), f"{who} {_into(container, rng)}", (meaning,))


def put_all_in(state: SymbolicState, rng: random.Random) -> Clause | None:
    """Every block, or every block but some, into one container."""
    containers = [*state.of_category("bowl"), *state.of_category("drawer")]
    blocks = list(state.of_category("block"))
    if not containers or len(blocks) < 3:
        return None
    container = rng.choice(containers)
    out = rng.sample(blocks, rng.choice((0, 1, 1, 2)))
    chosen = [b for b in blocks if b not in out]
    if len(chosen) > _room(state, container) + sum(state.support.get(b) == container for b in chosen):
        return None
    phrase, trailing = _all_but(out, rng)
    meaning = _single(*(Literal("in", (b, container)) for b in chosen))
    return Clause(_verb(rng), f"{phrase} {_into(container, rng)}{trailing}", (meaning,))


def _all_but(out: Sequence[str], rng: random.Random) -> tuple[str, str]:
    """(phrase, what may follow the place)."""
    every = rng.choice(("every block", "all blocks", "all the blocks", "each block", "all of the blocks", "every cube"))
    if not out:
        return every, ""
    exception = rng.choice((" except ", " but ", " apart from ", " other than ")) + list_of(out, rng)
    if rng.random() < 0.4:
        return every, exception.replace(" but ", " except ")
    return every + exception, ""


def put_by_colour(state: SymbolicState, rng: random.Random) -> Clause | None:
    """Blocks into the bowls (onto the pads) of their colours."""
    kind = rng.choice(("bowl", "pad"))
    places = {colour_of(p): p for p in state.of_category(kind)}
    matching = [b for b in state.of_category("block") if colour_of(b) in places]
    out = [b for b in state.of_category("block") if b not in matching]
    if len(matching) < 2 or (kind == "bowl" and any(_room(state, places[colour_of(b)]) < 1 for b in matching)):
        return None
    phrase, trailing = _all_but(out, rng)
    colour = rng.choice(("colour", "color"))
    word = rng.choice(WORDS_FOR[kind])
    preposition = rng.choice(_IN if kind == "bowl" else ("on", "onto"))
    predicate = "in" if kind == "bowl" else "on"
    meaning = _single(*(Literal(predicate, (b, places[colour_of(b)])) for b in matching))
    where = rng.choice(
        (f"the {word} of its {colour}", f"the matching {word}", f"the {word} of the same {colour}",
         f"the {word} that matches its {colour}", f"the {word} with the same {colour}",
         f"the {word} of its own {colour}")
    )  # fmt: skip
    verb = rng.choice(("put", "place", "sort", "move"))
    return Clause(verb, f"{phrase} {preposition} {where}{trailing}", (meaning,))


def put_on(state: SymbolicState, rng: random.Random) -> Clause | None:
    """A block onto a clear block or a free pad."""
    blocks = _blocks(state)
    if not blocks:
        return None
    block = rng.choice(blocks)
    targets = [
        t
        for t in (*state.of_category("block"), *state.of_category("pad"))
        if t != block and t not in state.hidden and not state.resting.get(t) and state.support.get(block) != t
        and state.container_of(t) is None and state.stack_height(t) < STACK_LIMIT and state.held != t
    ]  # fmt: skip
    if not targets:
        return None
    target = rng.choice(targets)
    verb = rng.choice(("stack", _verb(rng))) if state.objects[target] == "block" else _verb(rng)
    meaning = _single(Literal("on", (block, target)))
    return Clause(verb, f"{name(block, rng, state)} {rng.choice(_ON)} {name(target, rng)}", (meaning,))


def pile_up(state: SymbolicState, rng: random.Random) -> Clause | None:
    """A tower of two to four blocks, lowest or highest first."""
    blocks = [b for b in _blocks(state) if state.container_of(b) is None]
    if len(blocks) < 2:
        return None
    chosen = rng.sample(blocks, rng.randint(2, min(4, len(blocks))))
    down = rng.random() < 0.5
    way = rng.choice(
        ("from top to bottom", "from the top down") if down else ("from bottom to top", "from the bottom up")
    )
    said = list(reversed(chosen)) if down else chosen
    listed = ", ".join(name(b, rng) for b in said[:-1]) + f" and {name(said[-1], rng)}"
    meaning = _single(*tower(chosen, None))
    if rng.random() < 0.5:
        return Clause("stack", f"{listed} {way}", (meaning,))
    return Clause(rng.choice(("build", "make", "construct")), f"a {rng.choice(('tower', 'stack'))} of {listed} {way}",
                  (meaning,))  # fmt: skip


def take_away(state: SymbolicState, rng: random.Random) -> Clause | None:
    """A block from where it is onto the table."""
    placed = [b for b in _blocks(state) if state.support.get(b) not in (None, "table")]
    if not placed:
        return None
    block = rng.choice(placed)
    place = state.support[block]
    inside = Literal("in", (block, place)) in state.facts
    of = rng.choice(("out of", "from")) if inside else rng.choice(("off", "from"))
    verb = rng.choice(("take", "remove")) if of != "off" else "take"
    return Clause(
        verb, f"{name(block, rng)} {of} {name(place, rng)}", (_single(Literal("on", (block, "table"))),), away=True
    )


def put_on_table(state: SymbolicState, rng: random.Random) -> Clause | None:
    placed = [b for b in _blocks(state) if state.support.get(b) != "table"]
    if not placed:
        return None
    block = rng.choice(placed)
    meaning = _single(Literal("on", (block, "table")))
    return Clause(_verb(rng), f"{name(block, rng, state)} {rng.choice(('on', 'onto'))} the table", (meaning,))


def drawer(state: SymbolicState, rng: random.Random) -> Clause | None:
    drawers = state.of_category("drawer")
    if not drawers:
        return None
    opened = Literal("open", (drawers[0],)) in state.facts
    verb = rng.choice(("close", "shut") if opened else ("open", "pull open"))
    return Clause(verb, name(drawers[0], rng), (_single(Literal("closed" if opened else "open", (drawers[0],))),))


def lamp(state: SymbolicState, rng: random.Random) -> Clause | None:
    """The lamp by name, or the button, which toggles it."""
    lamps = state.of_category("lamp")
    if not lamps or not state.of_category("button"):
        return None
    lit = Literal("lit", (lamps[0],))
    on = lit in state.facts
    meaning = (_single(lit.negate() if on else lit),)
    if rng.random() < 0.3:
        return Clause(rng.choice(("press", "push", "hit")), "the button", meaning)
    word = rng.choice(("lamp", "light"))
    particle = "off" if on else "on"
    rest = rng.choice((f"{particle} the {word}", f"the {word} {particle}"))
    return Clause(rng.choice(("turn", "switch")), rest, meaning)


def push(state: SymbolicState, rng: random.Random) -> Clause | None:
    free = [b for b in _blocks(state) if state.support.get(b) == "table" and not state.resting.get(b)]
    if not free:
        return None
    block = rng.choice(free)
    side = rng.choice(("left", "right", "front", "back"))
    if Literal("in_zone", (block, side)) in state.facts:
        return None
    rest = rng.choice((f"to the {side}", f"to the {side} side", f"to the {side} of the table", f"towards the {side}"))
    verb = rng.choice(("push", "slide", "nudge", "shove", "move"))
    return Clause(verb, f"{name(block, rng)} {rest}", (_single(Literal("in_zone", (block, side))),))


def any_block(state: SymbolicState, rng: random.Random) -> Clause | None:
    """Some block or other: any of them will do."""
    containers = [c for c in (*state.of_category("bowl"), *state.of_category("drawer")) if _room(state, c) > 0]
    blocks = best_first(_blocks(state), state)
    if not containers or len(blocks) < 3 or len(blocks) < len(state.of_category("block")):
        return None
    container = rng.choice(containers)
    if rng.random() < 0.4:
        chosen = rng.sample(blocks, 2)  # in the order said
        first, second = (colour_word(b.split()[0], rng) for b in chosen)
        phrase = rng.choice((f"the {first} or the {second} block", f"either the {first} or the {second} block"))
    else:
        chosen = blocks
        phrase = rng.choice(
            ("a block", "any block", "one block", "one of the blocks", "any of the blocks", "some block")
        )
    options = tuple((Literal("in", (b, container)),) for b in chosen)
    return Clause(_verb(rng), f"{phrase} {_into(container, rng)}", (options,))


def pick(state: SymbolicState, rng: random.Random) -> Clause | None:
    blocks = _blocks(state)
    if not blocks or state.held is not None:
        return None
    block = rng.choice(blocks)
    verb = rng.choice(("pick up", "grab", "lift", "hold", "grasp", "take", "lift up"))
    return Clause(verb, name(block, rng, state), (_single(Literal("holding", (block,))),), away=True)


CLAUSES: tuple[Maker, ...] = (
    put_in, put_in, put_in, put_all_in, put_by_colour, put_on, put_on, pile_up, take_away, put_on_table, drawer, lamp,
    push, any_block,
)  # fmt: skip
LAST_CLAUSES: tuple[Maker, ...] = (pick,)


def fact(state: SymbolicState, rng: random.Random) -> Fact | None:
    """Something to check: the drawer, the lamp, where a block is."""
    kind = rng.choice(("drawer", "lamp", "place"))
    if kind == "drawer" and state.of_category("drawer"):
        (first, *_) = state.of_category("drawer")
        word = rng.choice(("open", "closed", "shut"))
        literal = Literal("open", (first,)) if word == "open" else Literal("closed", (first,))
        return Fact(f"the {first} is {word}", literal)
    if kind == "lamp" and state.of_category("lamp"):
        (first, *_) = state.of_category("lamp")
        word = rng.choice(("on", "lit", "off"))
        return Fact(f"the {rng.choice(('lamp', 'light'))} is {word}", Literal("lit", (first,), negated=word == "off"))
    placed = [b for b in _blocks(state) if b in state.support]
    if not placed:
        return None
    block = rng.choice(placed)
    place = state.support[block]
    predicate = "in" if Literal("in", (block, place)) in state.facts else "on"
    return Fact(f"{name(block, rng)} is {predicate} {name(place, rng)}", Literal(predicate, (block, place)))
