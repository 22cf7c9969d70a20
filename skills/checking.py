"""Typed checks of literals against the objects of a scene and the table of predicates.

Not for: skill calls (SkillLibrary.check_call).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skills.goal import Goal
from skills.literals import Literal
from skills.predicates import Predicate
from skills.skill import Parameter, did_you_mean


class LiteralError(ValueError):
    """A literal of an unknown predicate, a wrong number of arguments, or an object that is unknown or of no fit."""


def check_literal(literal: Literal, objects: Mapping[str, str], predicates: Sequence[Predicate]) -> None:
    """Raises LiteralError naming the valid predicates, arguments or objects. Wildcards fit wherever a name does."""
    by_name = {predicate.name: predicate for predicate in predicates}
    predicate = by_name.get(literal.predicate)
    if predicate is None:
        raise LiteralError(
            f"{literal}: no literal '{literal.predicate}'{did_you_mean(literal.predicate, list(by_name))}"
        )
    if len(literal.arguments) != len(predicate.parameters):
        wanted = ", ".join(p.name for p in predicate.parameters)
        raise LiteralError(
            f"{literal}: {predicate.name} takes {len(predicate.parameters)} argument(s) ({wanted}), "
            f"got {len(literal.arguments)}"
        )
    for parameter, argument in zip(predicate.parameters, literal.arguments, strict=True):
        _check_argument(literal, parameter, argument, objects)


def check_goal(goal: Goal, objects: Mapping[str, str], predicates: Sequence[Predicate]) -> None:
    """Raises LiteralError at the first literal of the goal that does not fit."""
    for literal in goal_literals(goal):
        check_literal(literal, objects, predicates)


def goal_literals(goal: Goal) -> Iterable[Literal]:
    """Every literal that a goal mentions, in reading order."""
    yield from goal.literals
    for alternative in goal.alternatives:
        yield from alternative
    for first, second in goal.order:
        yield from (first, second)
    for branch in goal.branches:
        yield from (branch.condition, *branch.then, *branch.otherwise)


def _check_argument(literal: Literal, parameter: Parameter, argument: str, objects: Mapping[str, str]) -> None:
    if argument == "*":
        return
    if parameter.choices:
        if argument not in parameter.choices:
            raise LiteralError(
                f"{literal}: no {parameter.name} '{argument}'{did_you_mean(argument, list(parameter.choices))}"
            )
        return
    if argument.startswith("*"):
        if parameter.types and argument[1:] not in parameter.types:
            raise LiteralError(f"{literal}: no kind '{argument[1:]}' here{did_you_mean(argument[1:], parameter.types)}")
        return
    if argument not in objects:
        raise LiteralError(f"{literal}: no object '{argument}' here{did_you_mean(argument, list(objects))}")
    if parameter.types and objects[argument] not in parameter.types:
        raise LiteralError(
            f"{literal}: '{argument}' is a {objects[argument]}; "
            f"{literal.predicate} takes a {' or '.join(parameter.types)} as {parameter.name}"
        )
