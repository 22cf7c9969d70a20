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


def tower(upwards: Sequence[str], base: str | None) -> Option:
    """The literals of one column, lowest first."""
    column = ([base] if base is not None else []) + list(upwards)
    return tuple(on(upper, lower) for lower, upper in itertools.pairwise(column))


def towers(names: Sequence[str], base: str | None, fixed: dict[int, str]) -> list[Option]:
    """All columns of `names`; fixed: index from the bottom → who must be there."""
    orders = (order for order in itertools.permutations(names) if all(order[i] == name for i, name in fixed.items()))
    return [tower(order, base) for order in itertools.islice(orders, MAX_OPTIONS)]
