"""Statements → options: "the red block should be in the drawer", "there is nothing on the pad".

Not for: whether they hold already (conditions.py).
"""

from __future__ import annotations

from dataclasses import replace

from planner.grammar import deeds, placing
from planner.grammar.absence import nothing_at, opposite, says_no
from planner.grammar.context import Context
from planner.grammar.deeds import hold
from planner.grammar.devices import device_of, set_device, state_said
from planner.grammar.errors import CannotBe
from planner.grammar.grouping import Group, Place, groups_of, sharing_nouns
from planner.grammar.options import Option, both
from planner.grammar.removing import clear
from planner.grammar.syntax import Statement
from planner.grammar.towers import build
from skills.literals import Literal


def stated(statement: Statement, context: Context) -> list[Option]:
    """What a statement asks for: "the red block should be in the drawer"."""
    if statement.kind == "there_is":
        return both(*(deeds.put(g, context) for g in groups_of(statement.subject)))
    if statement.kind == "contains":
        return _contained(statement, context)
    if statement.kind == "bare":
        return both(*(_asserted(g, context) for g in sharing_nouns(groups_of(statement.subject))))
    merged = groups_of((*statement.subject, *statement.predicate))
    if statement.negated or says_no(merged[0]):
        return [tuple(lit for g in merged for lit in _denied(g, statement.negated, context))]
    return both(*(_asserted(g, context) for g in sharing_nouns(merged)))


def _contained(statement: Statement, context: Context) -> list[Option]:
    (container,) = groups_of(statement.subject)[:1]
    (content,) = groups_of(statement.predicate)[:1]
    place = Place("in", container.theme)
    if says_no(content):
        return [tuple(nothing_at(content, place, context))]
    only = any(p.has("only") for p in content.themes)
    options = placing.put(Group(list(content.themes), content.any_of, places=[place]), context)
    return [(*o, *_others_out(o, context)) for o in options] if only else options


def _asserted(group: Group, context: Context) -> list[Option]:
    only = any(p.has("only") for p in group.themes)
    device = device_of(group, context)
    if device and state_said(group):
        return set_device("put", device, group, context)
    if group.said("empty", "clear"):
        return clear(group, context)
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
    if says_no(group) or any(p.has("any") for p in group.themes):
        plain = replace(group, themes=[replace(p, quantifiers=("all",), plural=True) for p in group.themes])
        return [lit for place in group.places for lit in nothing_at(plain, place, context)]
    if group.said("empty", "clear"):
        raise CannotBe("that something is not empty is no goal I can aim at; say what shall be in it")
    return [opposite(lit) if negated else lit for lit in _asserted(group, context)[0]]
