"""Verbs of moving and holding → options: put, take, push, hold, hide, fill, cover.

Not for: where the things go in literals (placing.py).
"""

from __future__ import annotations

from dataclasses import replace

from planner.grammar import placing
from planner.grammar.attachment import SOURCES, attached, from_sources, movables
from planner.grammar.context import Context
from planner.grammar.devices import device_literal, devices_meant, press, state_said
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList, Place
from planner.grammar.options import Option, on
from planner.grammar.removing import remove, unstack
from planner.grammar.stacks import is_one_stack, reverse
from planner.grammar.swapping import swap
from planner.grammar.syntax import NounPhrase, Particle
from planner.grammar.towers import build
from skills.literals import Literal

_DIRECTIONS = ("left", "right", "front", "back")


def turn(group: Group, context: Context) -> list[Option]:
    """ "turn it on"; "switch the red and the blue block" swaps."""
    if is_one_stack(group.themes) and (group.said("inverted", "on", "through")):
        return reverse(group, context)
    value = state_said(group)
    if value in ("on", "off"):
        return [tuple(device_literal(n, value, context) for n in devices_meant(group, "lamp", context))]
    if len(group.themes) > 1 or any(p.prep == "with" for p in group.places):
        return swap(group, context)
    if group.themes and group.themes[0].plural:
        return swap(group, context)
    raise NeedsAnswer("Shall the lamp be on or off?", ("turn the lamp on", "turn the lamp off"))


def hold(group: Group, context: Context) -> list[Option]:
    """ "pick up A": it stays in the hand unless something later says where it goes."""
    if any(p.prep in ("to",) for p in group.places) or group.said("there", "back", "origin"):
        return placing.put(group, context)
    theme, sources, _ = attached(group, context, wants_target=False)
    selection = movables(from_sources(theme, sources), context, group.exceptions)
    context.mention(selection.first, selection.chosen, selection.every)
    return [tuple(Literal("holding", (name,)) for name in chosen) for chosen in selection.options]


def release(group: Group, context: Context) -> list[Option]:
    """ "let go of it": what is in the hand goes down, here on the table."""
    if group.places or group.particles:
        return placing.put(group, context, default="table")
    held = context.state.held
    if held is None:
        raise NeedsAnswer("The hand is empty; what shall I put where?")
    context.mention((held,))
    return [(on(held, "table"),)]


def put(group: Group, context: Context) -> list[Option]:
    if group.said("stacked"):
        return build([group], context)
    held = context.state.held
    if not group.themes and held is not None:
        group.themes = [NounPhrase(pronoun="it")]
        context.mention((held,))
    releasing = held is not None and not group.has_target
    return placing.put(group, context, default="table" if releasing else "")


def take(group: Group, context: Context) -> list[Option]:
    """ "take A" holds it, "take A off B" removes it, "take A to B" puts it there."""
    if group.said("apart"):
        return unstack(group, context)
    preps = {p.prep for p in group.places}
    if group.said("out", "off", "away", "down") or preps & set(SOURCES):
        return remove(group, context)
    if "to" in preps or group.said("back", "there", "origin") or any(p.kind == "direction" for p in group.particles):
        return placing.put(group, context)
    return hold(group, context)


def push(group: Group, context: Context) -> list[Option]:
    """ "push A to the left"; pushed into or onto something is put there."""
    if any(p.noun == "button" for p in group.themes):
        return press(group, context)
    if group.places or group.said("there", "origin") or any(p.kind == "direction" for p in group.particles):
        return placing.put(group, context)
    if group.said("back"):
        return _to_side(group, "back", context)
    side = context.ask("To which side?", _DIRECTIONS).strip().lower().removeprefix("to the ").removeprefix("the ")
    if side not in _DIRECTIONS:
        raise CannotBe(f"'{side}' is no side of the table; there are {', '.join(_DIRECTIONS)}")
    return _to_side(group, side, context)


def pull(group: Group, context: Context) -> list[Option]:
    if any(p.kind == "direction" for p in group.particles) or group.places:
        return push(group, context)
    return _to_side(group, "back", context)


def _to_side(group: Group, side: str, context: Context) -> list[Option]:
    return placing.put(replace(group, particles=[Particle("direction", side)]), context)


def move(group: Group, context: Context) -> list[Option]:
    if group.said("away", "out", "off") and not any(p.prep in ("in", "on", "to") for p in group.places):
        return remove(group, context)
    return placing.put(group, context)


def hide(group: Group, context: Context) -> list[Option]:
    """Out of sight: in the closed drawer."""
    if group.places:
        options = placing.put(group, context)
    else:
        drawers = context.state.of_category("drawer")
        if not drawers:
            raise CannotBe("there is no drawer here to hide anything in")
        place = Place("in", PhraseList((NounPhrase(("the",), noun="drawer"),)))
        options = placing.put(replace(group, places=[place]), context)
    drawers = tuple(d for d in context.state.of_category("drawer") if any(d in lit.arguments for lit in options[0]))
    return [(*o, *(Literal("closed", (d,)) for d in drawers)) for o in options]


def fill(group: Group, context: Context) -> list[Option]:
    """ "fill the bowl with A and B"; without A and B: with as many blocks as it holds."""
    if not group.themes:
        raise NeedsAnswer("Which bowl shall I fill?", context.state.of_category("bowl"))
    withs = [p for p in group.places if p.prep in ("with", "of")]
    themes = list(withs[-1].phrases.phrases) if withs else [NounPhrase(("3",), noun="block", plural=True)]
    return placing.put(Group(themes, places=[Place("in", group.theme)], exceptions=group.exceptions), context)


def cover(group: Group, context: Context) -> list[Option]:
    withs = [p for p in group.places if p.prep in ("with", "by")]
    if not withs:
        raise NeedsAnswer("What shall I cover it with?", sorted(context.state.of_category("block")))
    return placing.put(Group(list(withs[-1].phrases.phrases), places=[Place("on", group.theme)]), context)
