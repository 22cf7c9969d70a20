"""What a clause may ask for: options, each a set of literals of which any one will do.

Not for: which objects are meant (references.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from planner.grammar.choosing import MAX_OPTIONS
from planner.grammar.context import Context
from planner.grammar.grouping import Group
from skills.literals import Literal

Option: TypeAlias = tuple[Literal, ...]
Frame: TypeAlias = Callable[[Group, Context], list[Option]]
"""What a verb does with a group of parts."""


def both(*options: Sequence[Option]) -> list[Option]:
    """Each combination of one option of every kind."""
    joined = itertools.islice(itertools.product(*options), MAX_OPTIONS)
    return [tuple(dict.fromkeys(itertools.chain.from_iterable(c))) for c in joined]


def on(upper: str, lower: str) -> Literal:
    return Literal("on", (upper, lower))


def place_literal(name: str, target: str, context: Context) -> Literal:
    """on or in, by what the target is."""
    inside = context.state.objects[target] in context.roles.inside
    return Literal("in" if inside else "on", (name, target))


def of_kinds(context: Context, kinds: Iterable[str]) -> list[str]:
    wanted = set(kinds)
    return [n for n, kind in context.state.objects.items() if kind in wanted]
