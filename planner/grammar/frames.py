"""Verbs and statements → options: what must hold for a clause to have been done. One table of frames.

Not for: how clauses are ordered or depend on conditions (understanding.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from planner.grammar import placing
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList, Place, groups_of
from planner.grammar.placing import Option, both
from planner.grammar.questions import REPHRASE
from planner.grammar.references import resolve_list
from planner.grammar.syntax import Clause, Ensure, Imperative, NounPhrase, Particle, Statement
from planner.grammar.towers import build
from planner.grammar.vocabulary import PHRASES
from skills.literals import Literal

Frame: TypeAlias = Callable[[Group, Context], list[Option]]

_DEVICES = ("drawer", "lamp", "button")
_DIRECTIONS = ("left", "right", "front", "back")


def done(clause: Clause, context: Context) -> list[Option]:
    """The options of one clause. Raises NeedsAnswer and CannotBe."""
    match clause:
        case Imperative(verb, parts, prohibited):
            found = groups_of(parts)
            if prohibited:
                return _prohibited(verb, found, context)
            if verb in ("pile", "stack"):
                return build(found, context)
            return both(*(_framed(verb, group, context) for group in _shared(found)))
        case Statement():
            return stated(clause, context)
        case Ensure(statements):
            return both(*(stated(s, context) for s in statements))


def _shared(groups: list[Group]) -> list[Group]:
    """In "put A in B and C in D" the second group borrows the noun of the first where it has none."""
    for before, after in itertools.pairwise(groups):
        nouns = [p.noun for p in before.themes if p.noun]
        if nouns:
            after.themes = [replace(p, noun=nouns[-1]) if _nounless(p) else p for p in after.themes]
    return groups


def _nounless(phrase: NounPhrase) -> bool:
    return not phrase.noun and not phrase.pronoun and bool(phrase.colours or phrase.quantifiers)


_LONE = ("on", "off", "in", "out", "with")  # prepositions that mean something without a noun


def _refuse_lone(group: Group) -> None:
    """A preposition that hangs in the air is not passed over in silence."""
    for particle in group.particles:
        if particle.kind == "particle" and particle.value in PHRASES["PREP"] and particle.value not in _LONE:
            raise NeedsAnswer(f"I do not understand '{particle.value}' without what it belongs to. {REPHRASE}")


def _framed(verb: str, group: Group, context: Context) -> list[Option]:
    _refuse_lone(group)
    device = _device(group, context)
    if verb == "pick" and device == "button":
        return press(group, context)
    if verb in ("put", "keep", "push", "pull", "turn", "move", "remove", "have") and device:
        return _device_set(verb, device, group, context)
    return FRAMES[verb](group, context)


# ---- drawer, lamp, button


def _device(group: Group, context: Context) -> str:
    """The drawer, lamp or button that the clause is about, "" where it is about something else."""
    phrases = list(group.themes)
    if not phrases and group.places and group.places[0].prep in ("on", "off", "in"):
        phrases = list(group.places[0].phrases.phrases)  # "turn on the lamp", "push in the drawer"
    if not phrases:
        return ""
    phrase = phrases[0]
    if phrase.noun in _DEVICES:
        return phrase.noun
    if phrase.pronoun == "it" and group.said("on", "off", "open", "closed"):
        kinds = ("drawer",) if group.said("open", "closed") else ("lamp", "button")
        return next((context.state.objects[n] for m in context.mentions for n in m.names
                     if context.state.objects.get(n) in kinds), kinds[0])  # fmt: skip
    return ""


def _device_set(verb: str, device: str, group: Group, context: Context) -> list[Option]:
    value = _state_said(group)
    if not value and device == "drawer":
        value = _drawer_by_verb(verb, group)
    if not value and verb == "push" and device == "button":
        return press(group, context)
    if not value:
        if verb == "keep":
            return keep(group, context)
        if verb == "turn" and device == "lamp":
            raise NeedsAnswer("Shall the lamp be on or off?", ("turn the lamp on", "turn the lamp off"))
        raise CannotBe(f"the {device} stays where it is" if verb in ("put", "move", "remove")
                       else f"I do not know how to {verb} the {device}")  # fmt: skip
    return [tuple(_device_literal(name, value, context) for name in _devices(group, device, context))]


def _state_said(group: Group) -> str:
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


def _devices(group: Group, device: str, context: Context) -> tuple[str, ...]:
    phrases = group.themes or [p for place in group.places for p in place.phrases.phrases]
    if device == "button":
        phrases = [p for p in phrases if p.noun != "button"] or [NounPhrase(("the",), noun="lamp")]
        device = "lamp"
    names = resolve_list(PhraseList(tuple(phrases)), (device,), context).first
    context.mention(names)
    return names


def _device_literal(name: str, value: str, context: Context) -> Literal:
    kind = context.state.objects[name]
    if kind == "drawer" and value in ("open", "closed", "on", "off"):
        return Literal({"on": "open", "off": "closed"}.get(value, value), (name,))
    if kind in ("lamp", "button") and value in ("on", "off"):
        return Literal("lit", (_lamp(context) if kind == "button" else name,), negated=value == "off")
    raise CannotBe(f"the {name} cannot be {value}")


def _lamp(context: Context) -> str:
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
    lamp = _lamp(context)
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
        return [tuple(_device_literal(n, value, context) for n in names)]

    return frame


def turn(group: Group, context: Context) -> list[Option]:
    """ "turn it on"; "switch the red and the blue block" swaps."""
    value = _state_said(group)
    if value in ("on", "off"):
        return [tuple(_device_literal(n, value, context) for n in _devices(group, "lamp", context))]
    if len(group.themes) > 1 or any(p.prep == "with" for p in group.places):
        return placing.swap(group, context)
    if group.themes and group.themes[0].plural:
        return placing.swap(group, context)
    raise NeedsAnswer("Shall the lamp be on or off?", ("turn the lamp on", "turn the lamp off"))


# ---- hand


def hold(group: Group, context: Context) -> list[Option]:
    """ "pick up A": it stays in the hand unless something later says where it goes."""
    if any(p.prep in ("to",) for p in group.places) or group.said("there", "back", "origin"):
        return placing.put(group, context)
    theme, sources, _ = placing.attached(group, context, wants_target=False)
    selection = placing.movables(placing.from_sources(theme, sources), context, group.exceptions)
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
    return [(placing.on(held, "table"),)]


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
    preps = {p.prep for p in group.places}
    if group.said("out", "off", "away", "down") or preps & set(placing.SOURCES):
        return placing.remove(group, context)
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
        return placing.remove(group, context)
    return placing.put(group, context)


# ---- containers and covers


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


def keep(group: Group, context: Context) -> list[Option]:
    """ "leave the lamp on", "keep the red block where it is": a state or a place that must hold at the end."""
    if group.places:
        return placing.put(group, context)
    if not group.themes:
        raise NeedsAnswer("What shall I leave as it is?")
    selection = resolve_list(group.theme, tuple(context.state.objects.values()), context, group.exceptions)
    context.mention(selection.first)
    if group.said("held"):
        return [(Literal("holding", selection.first),)]
    if group.said("empty", "clear"):
        return placing.clear(group, context)
    return [tuple(lit for name in selection.first for lit in _as_it_is(name, context))]


def _as_it_is(name: str, context: Context) -> list[Literal]:
    """What holds of a thing at the start, as literals to keep."""
    state = context.start
    match state.objects[name]:
        case "drawer":
            return [Literal("open" if state.holds(Literal("open", (name,))) else "closed", (name,))]
        case "lamp" | "button":
            lit = Literal("lit", (_lamp(context),))
            return [lit if state.holds(lit) else lit.negate()]
        case kind if kind in context.roles.movable:
            return [f for f in sorted(state.facts) if f.predicate in ("on", "in", "holding") and f.arguments[0] == name]
        case kind if kind in context.roles.inside:
            return [Literal("in", (c, name)) for c in state.resting.get(name, ())]
        case _:
            return []


def leaves_alone(clause: Imperative) -> bool:
    """ "leave the red block where it is", "don't touch the red block"."""
    stays = any(isinstance(p, Particle) and p.value == "stay" for p in clause.parts)
    return (clause.verb == "keep" and stays) or (clause.prohibited and clause.verb in ("touch", "move"))


def nothing_to_do(group: Group, context: Context) -> list[Option]:
    del group, context
    return [()]


FRAMES: Mapping[str, Frame] = {
    "put": put,
    "hide": hide,
    "move": move,
    "push": push,
    "pull": pull,
    "unstack": placing.unstack,
    "take": take,
    "remove": placing.remove,
    "clear": placing.clear,
    "empty": placing.empty,
    "pick": hold,
    "release": release,
    "turn": turn,
    "toggle": toggle,
    "activate": light("on"),
    "deactivate": light("off"),
    "tap": press,
    "press": press,
    "swap": placing.swap,
    "sort": placing.sort,
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
            literals += [_opposite(lit) for lit in _framed(verb, group, context)[0]]
    return [tuple(literals)]


def _left_undone(group: Group, context: Context) -> list[Option]:
    """ "don't leave anything on the table": no such thing there at the end."""
    if not group.places:
        return [tuple(_opposite(lit) for lit in _framed("keep", group, context)[0])]
    return [tuple(lit for place in group.places for lit in _nothing_at(group, place, context))]


def _nothing_at(group: Group, place: Place, context: Context) -> list[Literal]:
    targets = resolve_list(place.phrases, context.roles.place, context).first
    context.mention(targets)
    anything = all(p.noun in ("everything", "thing", "nothing") and not p.colours for p in group.themes)
    if anything and "table" not in targets:
        return [_bare(t, context) for t in targets]
    widened = tuple(replace(p, quantifiers=("all",), plural=True) for p in group.themes)
    names = resolve_list(PhraseList(widened), context.roles.movable, context, group.exceptions).first
    context.mention(names)
    return [placing.place_literal(n, t, context).negate() for n in names for t in targets]


def _bare(name: str, context: Context) -> Literal:
    """Nothing in a container, nothing on anything else."""
    if context.state.objects[name] in context.roles.inside:
        return Literal("in", ("*", name), negated=True)
    return Literal("clear", (name,))


def _opposite(literal: Literal) -> Literal:
    opposites = {"open": "closed", "closed": "open"}
    if literal.predicate in opposites:
        return Literal(opposites[literal.predicate], literal.arguments)
    return literal.negate()


# ---- statements


def stated(statement: Statement, context: Context) -> list[Option]:
    """What a statement asks for: "the red block should be in the drawer"."""
    if statement.kind == "there_is":
        return both(*(put(g, context) for g in groups_of(statement.subject)))
    if statement.kind == "contains":
        return _contained(statement, context)
    if statement.kind == "bare":
        return both(*(_asserted(g, context) for g in _shared(groups_of(statement.subject))))
    merged = groups_of((*statement.subject, *statement.predicate))
    if statement.negated or _says_no(merged[0]):
        return [tuple(lit for g in merged for lit in _denied(g, statement.negated, context))]
    return both(*(_asserted(g, context) for g in _shared(merged)))


def _says_no(group: Group) -> bool:
    return any(p.noun == "nothing" or p.has("no") for p in group.themes)


def _contained(statement: Statement, context: Context) -> list[Option]:
    (container,) = groups_of(statement.subject)[:1]
    (content,) = groups_of(statement.predicate)[:1]
    place = Place("in", container.theme)
    if _says_no(content):
        return [tuple(_nothing_at(content, place, context))]
    return placing.put(Group(list(content.themes), content.any_of, places=[place]), context)


def _asserted(group: Group, context: Context) -> list[Option]:
    only = any(p.has("only") for p in group.themes)
    device = _device(group, context)
    if device and _state_said(group):
        return _device_set("put", device, group, context)
    if group.said("empty", "clear"):
        return placing.clear(group, context)
    if group.said("held"):
        return hold(replace(group, particles=[]), context)
    if group.said("stacked"):
        return build([group], context)
    options = placing.put(group, context)
    if only and group.places:
        options = [(*o, *_others_out(o, context)) for o in options]
    return options


def _others_out(option: Option, context: Context) -> list[Literal]:
    """ "only the red block is in the bowl": the others are not."""
    inside = {lit.arguments[1] for lit in option if lit.predicate == "in"}
    named = {lit.arguments[0] for lit in option}
    others = [n for n, kind in context.state.objects.items() if kind in context.roles.movable and n not in named]
    return [Literal("in", (n, place), negated=True) for place in sorted(inside) for n in others]


def _denied(group: Group, negated: bool, context: Context) -> list[Literal]:
    if _says_no(group) or any(p.has("any") for p in group.themes):
        plain = replace(group, themes=[replace(p, quantifiers=("all",), plural=True) for p in group.themes])
        return [lit for place in group.places for lit in _nothing_at(plain, place, context)]
    if group.said("empty", "clear"):
        raise CannotBe("that something is not empty is no goal I can aim at; say what shall be in it")
    return [_opposite(lit) if negated else lit for lit in _asserted(group, context)[0]]
