"""Building skill graphs in a few readable lines of Python.

    tidy = sequence(
        "open(drawer)",
        unordered(
            sequence("pick(red block)", "place_in(drawer)"),
            sequence("pick(blue block)", "place_in(drawer)"),
        ),
        "close(drawer)",
        branch("lit(lamp)", then="press(button)"),
    )

Every part is a skill call (as text or SkillCall) or a graph made the same way. Step ids are made from the calls.
Not for: files (skills.graph_files) or checking against a scene (skills.validation).
"""

from __future__ import annotations

from typing import TypeAlias

from skills.literals import Literal
from skills.skill import SkillCall
from skills.skill_graph import BranchStep, CallStep, RepeatStep, SkillGraph, Step, SubGraphStep

Part: TypeAlias = str | SkillCall | SkillGraph

NOTHING = SkillGraph()


def sequence(*parts: Part, name: str = "") -> SkillGraph:
    """One part after the other. Raises SkillCallError where a text is no skill call."""
    steps: list[Step] = []
    last: tuple[str, ...] = ()
    for part in parts:
        added = _renamed(_graph(part), {step.id for step in steps})
        first_steps = [step if step.after else step.model_copy(update={"after": last}) for step in added]
        steps.extend(first_steps)
        last = _ends(added) or last
    return SkillGraph(name=name, steps=tuple(steps))


def unordered(*parts: Part, name: str = "") -> SkillGraph:
    """All parts, in whatever order the runner finds good. Raises SkillCallError where a text is no skill call."""
    steps: list[Step] = []
    for part in parts:
        steps.extend(_renamed(_graph(part), {step.id for step in steps}))
    return SkillGraph(name=name, steps=tuple(steps))


def branch(condition: str | Literal, then: Part = NOTHING, otherwise: Part = NOTHING) -> SkillGraph:
    """`then` where the literal holds when its turn comes, else `otherwise`. Raises LiteralSyntaxError."""
    literal = Literal.parse(condition) if isinstance(condition, str) else condition
    step_id = _id_of("if", literal.predicate, *literal.arguments)
    step = BranchStep(id=step_id, condition=literal, then=_graph(then), otherwise=_graph(otherwise))
    return SkillGraph(steps=(step,))


def repeat(body: Part, *, until: str | Literal | None = None, at_most: int) -> SkillGraph:
    """`body` over and over until the literal holds, at most so many rounds. Raises LiteralSyntaxError."""
    literal = Literal.parse(until) if isinstance(until, str) else until
    step_id = _id_of("until", literal.predicate, *literal.arguments) if literal else f"{at_most}-times"
    return SkillGraph(steps=(RepeatStep(id=step_id, body=_graph(body), until=literal, at_most=at_most),))


def grouped(name: str, part: Part) -> SkillGraph:
    """A part as one step, under a name of its own."""
    return SkillGraph(steps=(SubGraphStep(id=_id_of(name), graph=_graph(part)),))


def _graph(part: Part) -> SkillGraph:
    if isinstance(part, SkillGraph):
        return part
    call = SkillCall.parse(part) if isinstance(part, str) else part
    return SkillGraph(steps=(CallStep(id=_id_of(call.skill, *call.arguments), do=call),))


def _id_of(*words: str) -> str:
    return "-".join(words).replace(" ", "-").replace("/", "-")


def _ends(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Steps that no other comes after."""
    earlier = {step_id for step in steps for step_id in step.after}
    return tuple(step.id for step in steps if step.id not in earlier)


def _renamed(graph: SkillGraph, taken: set[str]) -> tuple[Step, ...]:
    """The graph's steps with ids that are still free: `press-button-2` for the second of its kind."""
    free: dict[str, str] = {}
    for step in graph.steps:
        name, number = step.id, 1
        while name in taken or name in free.values():
            number += 1
            name = f"{step.id}-{number}"
        free[step.id] = name
    return tuple(
        step.model_copy(update={"id": free[step.id], "after": tuple(free[a] for a in step.after)})
        for step in graph.steps
    )
