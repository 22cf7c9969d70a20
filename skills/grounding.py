"""Grounding: all base facts that a PhysicalState makes true, as the SymbolicState that planners search in.

Not for: belief over what is not seen (world_model.scene).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from robots.physical_state import PhysicalState
from skills.literals import Literal
from skills.predicates import PREDICATES, Predicate
from skills.skill import Parameter
from skills.symbolic_state import SymbolicState


def facts_of(state: PhysicalState, predicates: Iterable[Predicate] = PREDICATES) -> frozenset[Literal]:
    """Every base literal over the objects of the state that holds in it."""
    objects = objects_of(state)
    facts = set()
    for predicate in predicates:
        if predicate.derived:
            continue
        for arguments in product(*(_candidates(p, objects) for p in predicate.parameters)):
            if len(set(arguments)) == len(arguments) and predicate.evaluate(state, arguments):
                facts.add(Literal(predicate.name, arguments))
    return frozenset(facts)


def symbolic_of(state: PhysicalState, predicates: Iterable[Predicate] = PREDICATES) -> SymbolicState:
    """The state in symbols: its objects by category, and its base facts."""
    return SymbolicState(objects_of(state), facts_of(state, predicates))


def evaluate(state: PhysicalState, literal: Literal, predicates: Iterable[Predicate] = PREDICATES) -> bool | None:
    """Whether one ground literal holds in metres; None where it speaks of what is not in the state.

    Raises KeyError for a predicate that is not in the table.
    """
    by_name = {predicate.name: predicate for predicate in predicates}
    truth = by_name[literal.predicate].evaluate(state, literal.arguments)
    return truth if truth is None or not literal.negated else not truth


def objects_of(state: PhysicalState) -> Mapping[str, str]:
    """Name → category; the table is always there."""
    return {name: thing.category for name, thing in state.objects.items()} | {"table": "table"}


def _candidates(parameter: Parameter, objects: Mapping[str, str]) -> tuple[str, ...]:
    if parameter.choices:
        return parameter.choices
    return tuple(name for name, category in objects.items() if category in parameter.types)
