"""Whole stacks: which one is meant, and what happens to it as one ("reverse the tower", "move the stack to the pad").

Not for: building one out of named blocks (towers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.grammar.choosing import listing
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group
from planner.grammar.options import Option, tower
from planner.grammar.references import candidates, columns, resolve_list
from planner.grammar.syntax import NounPhrase
from skills.symbolic_state import STACK_LIMIT

Column = tuple[str, ...]


def is_one_stack(phrases: Sequence[NounPhrase]) -> bool:
    """ "the tower", "the stack on the green pad"; not "the blocks of the stack"."""
    return len(phrases) == 1 and phrases[0].noun == "stack" and not phrases[0].plural


def stack_meant(phrase: NounPhrase, context: Context) -> Column:
    """Its blocks, upwards. Raises CannotBe where nothing is stacked, NeedsAnswer where several stacks fit."""
    found = columns(context.state)
    if not found:
        raise CannotBe("nothing is stacked here")
    fitting = [c for c in found if set(c) & set(candidates(phrase, context.roles.movable, context))]
    if len(fitting) == 1:
        return fitting[0]
    tops = sorted(c[-1] for c in fitting or found)
    answer = context.ask(f"Which stack do you mean, the one with {listing(tops, 'or')} on top?", tops)
    named = [c for c in found if any(name in answer.lower() for name in c)]
    if len(named) != 1:
        raise NeedsAnswer(f"'{answer}' does not tell me which stack. Please say it in other words.", tops)
    return named[0]


def reverse(group: Group, context: Context) -> list[Option]:
    """ "turn the tower upside down": the same place, the other order."""
    column = _column_of(group, context)
    context.mention(column)
    return [tower(tuple(reversed(column)), _base(column, context))]


def _column_of(group: Group, context: Context) -> Column:
    if not group.themes:
        return stack_meant(NounPhrase(("the",), noun="stack"), context)
    if is_one_stack(group.themes):
        return stack_meant(group.themes[0], context)
    names = resolve_list(group.theme, context.roles.movable, context).first
    column = next((c for c in columns(context.state) if set(names) <= set(c)), None)
    if column is None or (len(names) > 1 and len(names) != len(column)):
        raise NeedsAnswer(f"I can turn over a stack, but {listing(names)} are none. Please say it in other words.")
    return column


def _base(column: Column, context: Context) -> str:
    return context.state.support.get(column[0], "table")


def moved_stack(column: Column, target: str, context: Context) -> Option:
    """The same order on the target."""
    if target in column:
        raise CannotBe("a stack cannot be put on itself")
    if len(column) + context.state.stack_height(target) > STACK_LIMIT:
        raise CannotBe(f"a stack is at most {STACK_LIMIT} blocks high")
    return tower(column, target)
