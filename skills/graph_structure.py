"""Structural checks of a skill graph: ids, edges, bounds, names and types. No state is simulated here.

Not for: whether preconditions are met (skills.validation).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import networkx as nx

from skills.checking import LiteralError, check_literal
from skills.hand_blocks import precedence
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCallError, did_you_mean
from skills.skill_graph import BranchStep, CallStep, GraphError, RepeatStep, SkillGraph, Step, SubGraphStep


def check_structure(graph: SkillGraph, objects: Mapping[str, str], library: SkillLibrary) -> None:
    """Raises GraphError naming the first step with a bad id, edge, bound, name or type; inner graphs included."""
    check_order(graph)
    _check_steps(graph, objects, library, "")


def check_order(graph: SkillGraph, *, path: str = "") -> None:
    """Raises GraphError for duplicate or unusable ids, dangling edges and cycles; inner graphs included."""
    _check_ids(graph, path)
    _check_acyclic(graph, path)
    for step in graph.steps:
        match step:
            case BranchStep():
                check_order(step.then, path=f"{path}{step.id}/then/")
                check_order(step.otherwise, path=f"{path}{step.id}/else/")
            case RepeatStep(body=inner) | SubGraphStep(graph=inner):
                check_order(inner, path=f"{path}{step.id}/")


def _check_steps(graph: SkillGraph, objects: Mapping[str, str], library: SkillLibrary, path: str) -> None:
    for step in graph.steps:
        _check_step(step, objects, library, f"{path}{step.id}")


def _check_ids(graph: SkillGraph, path: str) -> None:
    ids = [step.id for step in graph.steps]
    for step_id, count in Counter(ids).items():
        if not step_id or "/" in step_id:
            raise GraphError(f"{path}{step_id}", "has no usable id: it must not be empty nor contain '/'")
        if count > 1:
            raise GraphError(f"{path}{step_id}", f"appears {count} times: ids are unique within one level")
    for step in graph.steps:
        for earlier in step.after:
            if earlier not in ids:
                raise GraphError(
                    f"{path}{step.id}", f"comes after '{earlier}', which does not exist{did_you_mean(earlier, ids)}"
                )


def _check_acyclic(graph: SkillGraph, path: str) -> None:
    order = precedence(graph)
    if nx.is_directed_acyclic_graph(order):
        return
    on_a_cycle = {node for edge in nx.find_cycle(order) for node in edge}
    first = next(step.id for step in graph.steps if step.id in on_a_cycle)
    circle = [edge[0] for edge in nx.find_cycle(order, source=first)]
    raise GraphError(f"{path}{first}", f"is part of a cycle: {' → '.join((*circle, circle[0]))}")


def _check_step(step: Step, objects: Mapping[str, str], library: SkillLibrary, path: str) -> None:
    match step:
        case CallStep():
            try:
                library.check_call(step.do, objects)
            except SkillCallError as error:
                raise GraphError(path, str(error)) from error
        case BranchStep():
            _check_condition(step.condition, objects, library, path)
            _check_steps(step.then, objects, library, f"{path}/then/")
            _check_steps(step.otherwise, objects, library, f"{path}/else/")
        case RepeatStep():
            if step.at_most is None or step.at_most < 1:
                raise GraphError(path, "repeats without a bound: give at_most, 1 or more")
            if step.until is not None:
                _check_condition(step.until, objects, library, path)
            _check_steps(step.body, objects, library, f"{path}/")
        case SubGraphStep():
            _check_steps(step.graph, objects, library, f"{path}/")


def _check_condition(literal: Literal, objects: Mapping[str, str], library: SkillLibrary, path: str) -> None:
    try:
        check_literal(literal, objects, library.predicates)
    except LiteralError as error:
        raise GraphError(path, str(error)) from error
