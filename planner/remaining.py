"""What is left of a graph on its way: the steps not settled, as a graph of its own; and a repair put in front of one.

Not for: keeping the book of what runs (executor.graph_runner does that and splices for real).
"""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx

from skills.hand_blocks import hand_blocks, precedence
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.skill_graph import BranchStep, CallStep, GraphError, RepeatStep, SkillGraph, Step, SubGraphStep

SETTLED = ("succeeded", "skipped")


def remaining(graph: SkillGraph, statuses: Mapping[str, str], level: str = "") -> SkillGraph:
    """The steps of `graph` that are neither succeeded nor skipped, edges to settled ones dropped.

    statuses: by path ("sort/3/pick"), as GraphRunner keeps them. A branch that is on its way becomes its arm.
    """
    kept: list[Step] = []
    for step in graph.steps:
        path = f"{level}{step.id}"
        if statuses.get(path) not in SETTLED:
            kept.append(_rest_of(step, statuses, path))
    ids = {step.id for step in kept}
    steps = tuple(s.model_copy(update={"after": tuple(a for a in s.after if a in ids)}) for s in kept)
    return graph.model_copy(update={"steps": steps})


def _rest_of(step: Step, statuses: Mapping[str, str], path: str) -> Step:
    match step:
        case BranchStep():
            for arm, graph in (("then", step.then), ("else", step.otherwise)):
                prefix = f"{path}/{arm}/"
                if any(known.startswith(prefix) for known in statuses):
                    taken = SubGraphStep(id=arm, graph=remaining(graph, statuses, prefix))
                    return SubGraphStep(id=step.id, after=step.after, graph=SkillGraph(steps=(taken,)))
            return step
        case SubGraphStep():
            return step.model_copy(update={"graph": remaining(step.graph, statuses, f"{path}/")})
        case CallStep() | RepeatStep():
            return step


def with_repair(graph: SkillGraph, path: str, repair: SkillGraph) -> SkillGraph:
    """`graph`, as `remaining` returns it, with `repair` as a sub-graph in front of the step at `path`."""
    name, _, inner = path.partition("/")
    step = graph.step(name)
    if inner:
        if not isinstance(step, SubGraphStep):
            raise GraphError(name, f"has nothing under way at '{inner}'")
        within = step.model_copy(update={"graph": with_repair(step.graph, inner, repair)})
        return _with_step(graph, step, (within,))
    taken = {other.id for other in graph.steps}
    repair_id = next(i for n in range(1, len(taken) + 2) if (i := f"{name}-repair{n}") not in taken)
    before = SubGraphStep(id=repair_id, after=step.after, graph=repair)
    return _with_step(graph, step, (before, step.model_copy(update={"after": (repair_id,)})))


def block_first(graph: SkillGraph, path: str) -> SkillGraph:
    """`graph` with everything else after the step at `path` and what comes before it: while the hand is full, the
    runner lets only the block under way go on."""
    name, _, inner = path.partition("/")
    before = nx.ancestors(precedence(graph), name) | {name}
    steps: list[Step] = []
    for step in graph.steps:
        if inner and step.id == name and isinstance(step, SubGraphStep):
            steps.append(step.model_copy(update={"graph": block_first(step.graph, inner)}))
        elif step.id in before:
            steps.append(step)
        else:
            steps.append(step.model_copy(update={"after": tuple(dict.fromkeys((*step.after, name)))}))
    return graph.model_copy(update={"steps": tuple(steps)})


def _with_step(graph: SkillGraph, old: Step, new: tuple[Step, ...]) -> SkillGraph:
    steps = tuple(s for step in graph.steps for s in (new if step is old else (step,)))
    return graph.model_copy(update={"steps": steps})


def call_at(graph: SkillGraph, path: str) -> SkillCall:
    """The call at `path`. Raises GraphError where there is none."""
    name, _, inner = path.partition("/")
    step = graph.step(name)
    if inner:
        return call_at(*_level_inside(step, inner))
    if not isinstance(step, CallStep):
        raise GraphError(path, "is no skill call")
    return step.do


def meant_to_hold(graph: SkillGraph, path: str, library: SkillLibrary) -> str | None:
    """What the hand should hold when the step at `path` starts, by the pick that its block begins with.

    A place inside a branch belongs to the pick before the branch. None where no pick leads there.
    """
    name, _, inner = path.partition("/")
    step = graph.step(name)
    if inner:
        level, rest = _level_inside(step, inner)
        found = meant_to_hold(level, rest, library)
        if found is not None or not _begins(level, rest, library):
            return found
    group = next(g for g in hand_blocks(graph, library) if name in g)
    for earlier in reversed(group[: group.index(name)]):
        for call in reversed(list(SkillGraph(steps=(graph.step(earlier),)).calls())):
            taken = _taken_by(call, library)
            if taken is not None:
                return taken
    return None


def _level_inside(step: Step, inner: str) -> tuple[SkillGraph, str]:
    match step:
        case BranchStep():
            arm, _, rest = inner.partition("/")
            return (step.then if arm == "then" else step.otherwise), rest
        case SubGraphStep():
            return step.graph, inner
        case _:
            raise GraphError(step.id, f"has nothing under way at '{inner}'")


def _begins(level: SkillGraph, path: str, library: SkillLibrary) -> bool:
    """The step is in the first block of its level, so what it holds comes from outside."""
    return path.partition("/")[0] in hand_blocks(level, library)[0]


def _taken_by(call: SkillCall, library: SkillLibrary) -> str | None:
    skill = library.skill(call.skill)
    bound = {f"?{p.name}": a for p, a in zip(skill.parameters, call.arguments, strict=True)}
    for text in skill.effects:
        if text.startswith("holding("):
            return bound.get(Literal.parse(text).arguments[0])
    return None
