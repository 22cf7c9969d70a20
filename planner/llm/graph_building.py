"""From the flat steps of an answer to a SkillGraph: ids, edges, and branches from steps that carry a condition.

Not for: whether the graph works (skills.validation).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from planner.llm.answer import AnswerError, AnswerStep
from planner.llm.names import read_call, read_literal
from skills.literals import Literal, LiteralSyntaxError
from skills.skill import SkillCallError
from skills.skill_graph import BranchStep, CallStep, SkillGraph, Step


@dataclass(frozen=True)
class _Numbered:
    """A step with its id and edges settled. condition: the literal under which it is done, or None."""

    id: str
    call_text: str
    after: tuple[str, ...]
    condition: Literal | None


def build_graph(steps: Sequence[AnswerStep], known: Collection[str]) -> SkillGraph:
    """The graph of an answer's steps; `known` are the objects' names. Raises AnswerError naming the bad step."""
    numbered = _number(steps, known)
    if all(step.condition is None for step in numbered):
        return SkillGraph(steps=tuple(_call_step(step, step.after, known) for step in numbered))
    return _with_branches(numbered, known)


def in_listed_order(graph: SkillGraph) -> SkillGraph:
    """The graph with its steps also in the order in which they are listed: what a model means that forgets an edge."""
    ids = [step.id for step in graph.steps]
    steps = [
        step.model_copy(update={"after": tuple(dict.fromkeys((*step.after, *ids[:index][-1:])))})
        for index, step in enumerate(graph.steps)
    ]
    return graph.model_copy(update={"steps": tuple(steps)})


def _number(steps: Sequence[AnswerStep], known: Collection[str]) -> list[_Numbered]:
    """A list in which no step names another is a sequence; otherwise a step that names none is free."""
    sequence = not any(step.after for step in steps)
    numbered: list[_Numbered] = []
    for index, step in enumerate(steps, start=1):
        previous = (numbered[-1].id,) if numbered else ()
        after = previous if sequence or step.after is None else tuple(dict.fromkeys(step.after))
        condition = _condition(step, known) if step.only_if else None
        numbered.append(_Numbered((step.id or str(index)).replace("/", "-"), step.do, after, condition))
    return numbered


def _condition(step: AnswerStep, known: Collection[str]) -> Literal:
    try:
        return read_literal(step.only_if or "", known)
    except LiteralSyntaxError as error:
        raise AnswerError(f"the `if` of step {step.do}: {error}") from error


def _call_step(step: _Numbered, after: tuple[str, ...], known: Collection[str]) -> CallStep:
    try:
        return CallStep(id=step.id, after=after, do=read_call(step.call_text, known))
    except SkillCallError as error:
        raise AnswerError(f"step '{step.id}': {error}") from error


def _with_branches(numbered: Sequence[_Numbered], known: Collection[str]) -> SkillGraph:
    """Neighbours under one condition become one branch; those under its negation, right after, its other arm."""
    level: list[Step] = []
    home: dict[str, str] = {}  # step id → id of what holds it on this level
    for condition, members in groupby(numbered, key=lambda step: step.condition):
        group = list(members)
        if condition is None:
            for step in group:
                level.append(_call_step(step, _edges((step,), home), known))
                home[step.id] = step.id
            continue
        branch = _branch(group, condition, home, known)
        last = level[-1] if level else None
        if isinstance(last, BranchStep) and last.condition == condition.negate() and not last.otherwise.steps:
            after = tuple(edge for edge in dict.fromkeys((*last.after, *branch.after)) if edge != last.id)
            branch = last.model_copy(update={"otherwise": branch.then, "after": after})
            level.pop()
        level.append(branch)
        home.update({step.id: branch.id for step in group})
    return SkillGraph(steps=tuple(level))


def _branch(group: Sequence[_Numbered], condition: Literal, home: dict[str, str], known: Collection[str]) -> BranchStep:
    inside = {step.id for step in group}
    arm = SkillGraph(
        steps=tuple(_call_step(step, tuple(a for a in step.after if a in inside), known) for step in group)
    )
    after = tuple(edge for edge in _edges(group, home) if edge not in inside)
    return BranchStep.model_validate({"id": f"if-{group[0].id}", "after": after, "if": condition, "then": arm})


def _edges(steps: Sequence[_Numbered], home: dict[str, str]) -> tuple[str, ...]:
    """What the steps come after, in the ids of this level; an id that does not exist stays, for validation to name."""
    return tuple(dict.fromkeys(home.get(earlier, earlier) for step in steps for earlier in step.after))
