"""Drawer, lamp and button: what they are set to.

Not for: what goes into the drawer (placing.py).
"""

from __future__ import annotations

from dataclasses import replace

from planner.grammar.context import Context
from planner.grammar.errors import REPHRASE, CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList
from planner.grammar.options import Frame, Option
from planner.grammar.references import resolve_list
from planner.grammar.syntax import NounPhrase
from skills.literals import Literal

_DEVICES = ("drawer", "lamp", "button")


def device_of(group: Group, context: Context) -> str:
    """The drawer, lamp or button that the clause is about, "" where it is about something else."""
    phrases = list(group.themes)
    if not phrases and group.places and group.places[0].prep in ("on", "off", "in"):
        phrases = list(group.places[0].phrases.phrases)  # "turn on the lamp", "push in the drawer"
    if not phrases:
        return ""
    phrase = phrases[0]
    if phrase.noun in _DEVICES:
        return phrase.noun
    if phrase.pronoun in ("it", "this", "that") and group.said("on", "off", "open", "closed"):
        kinds = ("drawer",) if group.said("open", "closed") else ("lamp", "button")
        return next((context.state.objects[n] for m in context.mentions for n in m.names
                     if context.state.objects.get(n) in kinds), kinds[0])  # fmt: skip
    return ""


def set_device(verb: str, device: str, group: Group, context: Context) -> list[Option]:
    value = state_said(group)
    if not value and device == "drawer":
        value = _drawer_by_verb(verb, group)
    if not value and verb == "push" and device == "button":
        return press(group, context)
    if not value:
        if verb == "turn" and device == "lamp":
            raise NeedsAnswer("Shall the lamp be on or off?", ("turn the lamp on", "turn the lamp off"))
        raise CannotBe(f"the {device} stays where it is" if verb in ("put", "move", "remove")
                       else f"I do not know how to {verb} the {device}")  # fmt: skip
    return [tuple(device_literal(name, value, context) for name in devices_meant(group, device, context))]


def state_said(group: Group) -> str:
    for particle in group.particles:
        if particle.value in ("on", "off", "open", "closed"):
            return particle.value
        if particle.value == "back":
            continue
    return next((p.prep for p in group.places if p.prep in ("on", "off")), "")


def _drawer_by_verb(verb: str, group: Group) -> str:
    if group.said("out") or verb == "pull":
        return "open"
    return "closed" if group.said("in", "back") or any(p.prep == "in" for p in group.places) or verb == "push" else ""


def devices_meant(group: Group, device: str, context: Context) -> tuple[str, ...]:
    phrases = group.themes or [p for place in group.places for p in place.phrases.phrases]
    if device == "button":
        phrases = [p for p in phrases if p.noun != "button"] or [NounPhrase(("the",), noun="lamp")]
        device = "lamp"
    names = resolve_list(PhraseList(tuple(phrases)), (device,), context).first
    context.mention(names)
    return names


def device_literal(name: str, value: str, context: Context) -> Literal:
    kind = context.state.objects[name]
    if kind == "drawer" and value in ("open", "closed", "on", "off"):
        return Literal({"on": "open", "off": "closed"}.get(value, value), (name,))
    if kind in ("lamp", "button") and value in ("on", "off"):
        return Literal("lit", (lamp_of(context) if kind == "button" else name,), negated=value == "off")
    raise CannotBe(f"the {name} cannot be {value}")


def lamp_of(context: Context) -> str:
    lamps = context.state.of_category("lamp")
    if not lamps:
        raise CannotBe("there is no lamp here")
    return lamps[0]


def press(group: Group, context: Context) -> list[Option]:
    """The button toggles the lamp: one press leaves it the other way, two leave it as it is."""
    phrases = tuple(p for p in group.themes if p.noun != "lamp") or (NounPhrase(("the",), noun="button"),)
    names = resolve_list(PhraseList(phrases), ("button",), context).first
    if any(context.state.objects[n] != "button" for n in names):
        raise CannotBe(f"only a button can be pressed, not the {names[0]}")
    lamp = lamp_of(context)
    context.mention([*names, lamp])
    lit = Literal("lit", (lamp,))
    now = context.state.holds(lit) is True
    other = lit.negate() if now else lit
    return [(other, other.negate())] if group.said("twice") else [(other,)]


def toggle(group: Group, context: Context) -> list[Option]:
    """ "toggle the lamp", "flip the switch"; a drawer toggles, too."""
    if any(p.noun == "drawer" for p in group.themes):
        names = resolve_list(group.theme, ("drawer",), context).first
        return [tuple(Literal("closed" if context.state.holds(Literal("open", (n,))) else "open", (n,)) for n in names)]
    return press(replace(group, themes=[]), context)


def set_open(group: Group, context: Context) -> list[Option]:
    return [tuple(Literal("open", (n,)) for n in _drawers(group, "opened", context))]


def set_closed(group: Group, context: Context) -> list[Option]:
    return [tuple(Literal("closed", (n,)) for n in _drawers(group, "closed", context))]


def _drawers(group: Group, what: str, context: Context) -> tuple[str, ...]:
    if group.places:
        raise NeedsAnswer(f"I do not understand where to: something can just be {what}. {REPHRASE}")
    theme = group.theme if group.themes else PhraseList((NounPhrase(("the",), noun="drawer"),))
    names = resolve_list(theme, ("drawer",), context).first
    for name in names:
        if context.state.objects[name] != "drawer":
            raise CannotBe(f"the {name} cannot be {what}; only a drawer can")
    context.mention(names)
    return names


def light(value: str) -> Frame:
    """ "light the lamp", "extinguish it"."""

    def frame(group: Group, context: Context) -> list[Option]:
        theme = group.theme if group.themes else PhraseList((NounPhrase(("the",), noun="lamp"),))
        names = resolve_list(theme, ("lamp", "button"), context).first
        context.mention(names)
        return [tuple(device_literal(n, value, context) for n in names)]

    return frame
