"""Verbs and statements → options: what must hold for a clause to have been done. One table of frames.

Not for: how clauses are ordered or depend on conditions (understanding.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.grammar.absence import nothing_at, opposite, says_no
from planner.grammar.conditions import condition_of
from planner.grammar.context import Context
from planner.grammar.deeds import cover, fill, hide, hold, move, pull, push, put, release, take, turn
from planner.grammar.devices import device_of, light, press, set_closed, set_device, set_open, state_said, toggle
from planner.grammar.errors import REPHRASE, CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, groups_of, sharing_nouns
from planner.grammar.keeping import keep, nothing_to_do
from planner.grammar.options import Frame, Option, both
from planner.grammar.removing import clear, empty, remove, unstack
from planner.grammar.sorting import sort, tidy
from planner.grammar.stacks import is_one_stack, reverse
from planner.grammar.statements import stated
from planner.grammar.swapping import exchanging, swap
from planner.grammar.syntax import Check, Clause, Declared, Ensure, Imperative, NounPhrase, Statement
from planner.grammar.towers import build
from planner.grammar.vocabulary import PHRASES
from skills.literals import Literal


def done(clause: Clause, context: Context) -> list[Option]:
    """The options of one clause. Raises NeedsAnswer and CannotBe."""
    match clause:
        case Imperative(verb, parts, prohibited):
            found = groups_of(parts)
            if prohibited:
                return _prohibited(verb, found, context)
            if any(says_no(group) for group in found):  # "put neither A nor B in the drawer"
                return _prohibited(verb, [_affirmed(group) for group in found], context)
            if verb == "swap" and len(found) > 1:
                return swap(exchanging(found), context)
            if verb in ("pile", "stack"):
                return build(found, context)
            return both(*(_framed(verb, group, context) for group in sharing_nouns(found)))
        case Statement():
            return stated(clause, context)
        case Check():
            return [()]
        case Declared(statement):
            return _declared(statement, context)
        case Ensure(statements):
            return both(*(stated(s, context) for s in statements))


_LONE = ("on", "off", "in", "out", "with")  # prepositions that mean something without a noun


def _affirmed(group: Group) -> Group:
    """Without "no", for what is prohibited: "put no block in the drawer" speaks of every block."""
    if any(p.noun == "nothing" for p in group.themes):
        return replace(group, themes=[NounPhrase(("all",), noun="block", plural=True)])
    listed = len(group.themes) > 1
    themes = [replace(p, quantifiers=tuple(q for q in p.quantifiers if q != "no") or ("the",)) for p in group.themes]
    return replace(group, any_of=False, themes=themes if listed else [replace(p, plural=True) for p in themes])


def _declared(statement: Statement, context: Context) -> list[Option]:
    """ "the red block is in the drawer" said as a fact: believed where nothing speaks against it."""
    (condition,) = condition_of((statement,), context)
    if condition.holds(context) is False:
        if not context.confirm("That is not so as far as I know; shall I make it so?"):
            raise CannotBe("that is not how things are as far as I know")
        return stated(statement, context)
    return [()]


def _refuse_lone(group: Group) -> None:
    """A preposition that hangs in the air is not passed over in silence."""
    for particle in group.particles:
        if particle.kind == "particle" and particle.value in PHRASES["PREP"] and particle.value not in _LONE:
            raise NeedsAnswer(f"I do not understand '{particle.value}' without what it belongs to. {REPHRASE}")


def _framed(verb: str, group: Group, context: Context) -> list[Option]:
    _refuse_lone(group)
    if verb == "toggle" and is_one_stack(group.themes):
        return reverse(group, context)
    device = device_of(group, context)
    if verb == "pick" and device == "button":
        return press(group, context)
    if (
        verb in ("put", "keep", "push", "pull", "turn", "move", "remove", "have")
        and device
        and (verb != "keep" or state_said(group))
    ):
        return set_device(verb, device, group, context)
    return FRAMES[verb](group, context)


# ---- drawer, lamp, button


# ---- hand


# ---- containers and covers


FRAMES: Mapping[str, Frame] = {
    "put": put,
    "hide": hide,
    "move": move,
    "push": push,
    "pull": pull,
    "unstack": unstack,
    "take": take,
    "remove": remove,
    "clear": clear,
    "empty": empty,
    "pick": hold,
    "reverse": reverse,
    "tidy": tidy,
    "release": release,
    "turn": turn,
    "toggle": toggle,
    "activate": light("on"),
    "deactivate": light("off"),
    "tap": press,
    "press": press,
    "swap": swap,
    "sort": sort,
    "fill": fill,
    "cover": cover,
    "touch": keep,
    "have": put,
    "keep": keep,
    "wait": nothing_to_do,
    "open": set_open,
    "closed": set_closed,
    "close": set_closed,
}


# ---- what must not be done


def _prohibited(verb: str, groups: Sequence[Group], context: Context) -> list[Option]:
    """ "don't touch A" keeps it; "don't open the drawer", "don't put A in B": the opposite at the end."""
    if verb == "wait":
        raise NeedsAnswer("What do you want me to do?")
    literals: list[Literal] = []
    for group in groups:
        if verb == "touch" or (verb in ("move", "take", "pick", "remove", "push") and not group.has_target):
            (option,) = keep(replace(group, particles=[], places=[]), context)[:1]
            literals += option
        elif verb == "keep":
            options = done(Imperative("put", ()), context) if not group.themes else _left_undone(group, context)
            literals += options[0]
        else:
            literals += [opposite(lit) for lit in _framed(verb, group, context)[0]]
    return [tuple(literals)]


def _left_undone(group: Group, context: Context) -> list[Option]:
    """ "don't leave anything on the table": no such thing there at the end."""
    if not group.places:
        return [tuple(opposite(lit) for lit in _framed("keep", group, context)[0])]
    return [tuple(lit for place in group.places for lit in nothing_at(group, place, context))]


# ---- statements
