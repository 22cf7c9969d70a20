"""Scenes that the language tests speak of, and how meanings are compared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from planner.grammar.errors import CannotBe, InstructionError, NeedsAnswer
from planner.grammar.understanding import Understood, understand
from planner.search import Found, find_graph
from skills.goal import Goal, GoalBranch
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.symbolic_state import SymbolicState
from world_model.prediction import predict_graph
from world_model.scene import Scene

LIBRARY = SkillLibrary()
_OBJECTS = (
    *(f"{c} block" for c in ("red", "green", "blue", "yellow")),
    *(f"{c} bowl" for c in ("red", "green", "blue")),
    *(f"{c} pad" for c in ("red", "blue")),
    *("drawer", "button", "lamp", "table"),
)


def scene(facts: Iterable[str], objects: Iterable[str] = _OBJECTS, hidden: Iterable[str] = ()) -> Scene:
    """A symbolic scene; an object's category is the last word of its name."""
    named = {name: name.split()[-1] for name in objects}
    return Scene.from_symbolic(SymbolicState(named, frozenset(map(Literal.parse, facts)), frozenset(hidden)))


FLAT = scene(f"on({c} block, table)" for c in ("red", "green", "blue", "yellow"))
BUILT = scene(
    ["on(red block, green block)", "on(green block, table)", "in(blue block, blue bowl)", "on(yellow block, red pad)",
     "open(drawer)", "lit(lamp)"]
)  # fmt: skip


def _named(colours: str, kind: str) -> list[str]:
    return [f"{colour} {kind}" for colour in colours.split()]


def _on_table(colours: str) -> list[str]:
    return [f"on({block}, table)" for block in _named(colours, "block")]


_DEVICES = ("drawer", "button", "lamp", "table")
_BASIC = "red green blue yellow"
KITCHEN = scene([*_on_table(_BASIC), "open(drawer)"], [*_named(_BASIC, "block"), *_named(_BASIC, "bowl"), *_DEVICES])
TOWER = scene(
    ["on(red block, green block)", "on(green block, blue block)", *_on_table("blue yellow purple")],
    [*_named(f"{_BASIC} purple", "block"), *_named("green yellow", "pad"), "table"],
)
WRONG = scene(
    ["in(red block, green bowl)", "in(green block, blue bowl)", "on(blue block, table)", "in(yellow block, drawer)",
     "open(drawer)", "lit(lamp)"],
    [*_named(_BASIC, "block"), *_named("red green blue", "bowl"), *_DEVICES],
)  # fmt: skip
PADS = scene(
    ["on(red block, green pad)", "on(green block, blue pad)", "on(blue block, red pad)", "on(yellow block, table)"],
    [*_named(_BASIC, "block"), *_named(_BASIC, "pad"), "table"],
)
HIDDEN = Scene.from_symbolic(
    scene(
        [*_on_table("red green"), "lit(lamp)"],
        [*_named("red green", "block"), *_named("red blue", "bowl"), "green pad", *_DEVICES],
    ).symbolic(),
    unexplored=["drawer"],
)
SCENES = {
    "flat": FLAT, "built": BUILT, "kitchen": KITCHEN, "tower": TOWER, "wrong": WRONG, "pads": PADS, "hidden": HIDDEN,
}  # fmt: skip


def read(instruction: str, where: Scene, **answers: str) -> Understood:
    return understand(instruction, where, LIBRARY, answers=answers)


def canonical(literal: Literal) -> str:
    if literal.predicate == "closed":
        literal = Literal("open", literal.arguments, not literal.negated)
    return str(literal)


def end_states(understood: Understood, where: Scene) -> set[frozenset[str]]:
    return {frozenset(map(canonical, end)) for end in understood.goal.end_states(where.symbolic())}


def cases(file_name: str, every: int = 1) -> list[dict[str, Any]]:
    """One record for each wording of a file of instructions, or for every n-th of each meaning."""
    rows = yaml.safe_load((Path(__file__).parents[1] / "planner" / file_name).read_text("utf-8"))
    listed = [{**row, "say": row["say"] if isinstance(row["say"], list) else [row["say"]]} for row in rows]
    return [{**row, "say": wording} for row in listed for wording in row["say"][::every]]


def mistake(case: dict[str, Any]) -> str:
    """What is wrong with how a case is understood; "" where it is right."""
    where = SCENES[case["scene"]]
    try:
        understood = read(case["say"], where)
    except (NeedsAnswer, CannotBe, InstructionError) as outcome:
        kind = {NeedsAnswer: "clarify", CannotBe: "impossible"}.get(type(outcome), "error")
        return "" if case.get("expect") == kind else f"{kind}: {outcome}"
    if "expect" in case:
        return f"expected {case['expect']}, got {understood.goal}"
    wanted = wanted_goal(case)
    if branches(understood.goal) != branches(wanted) and any(_undecided(b, where) for b in wanted.branches):
        return f"understood branches {understood.goal.branches}"
    ends = {frozenset(map(canonical, end)) for end in wanted.end_states(where.symbolic())}
    if end_states(understood, where) != ends and not same_in_effect(understood, wanted, where):
        return f"understood {end_states(understood, where)}"
    order = {(str(a), str(b)) for a, b in understood.goal.order}
    missing = {(str(a), str(b)) for a, b in wanted.order} - order
    return f"order lacks {missing}, has {order}" if missing else ""


def wanted_goal(case: dict[str, Any]) -> Goal:
    ends = case.get("any_of") or [case.get("goal", [])]
    return Goal.model_validate(
        {"literals": ends[0], "alternatives": ends[1:], "order": case.get("order", ()),
         "branches": case.get("branches", ())}
    )  # fmt: skip


def branches(goal: Goal) -> frozenset[tuple[str, frozenset[str], frozenset[str]]]:
    """The branches of a goal without the order in which their parts were said."""
    return frozenset(
        (canonical(b.condition), frozenset(map(canonical, b.then)), frozenset(map(canonical, b.otherwise)))
        for b in goal.branches
    )


def _undecided(branch: GoalBranch, where: Scene) -> bool:
    named = set(branch.condition.arguments)
    return bool(named - set(where.symbolic().objects)) or where.symbolic().holds(branch.condition) is None


def same_in_effect(understood: Understood, wanted: Goal, where: Scene) -> bool:
    """Whether the shortest way to either goal reaches the other, too: two wordings of one end."""
    state = where.symbolic()
    for name, category in understood.assumed.items():
        state = SymbolicState({**state.objects, name: category}, state.facts, state.hidden | {name})
    courses = []
    for goal in (understood.goal, wanted):
        found = find_graph(state, goal, LIBRARY)
        if not isinstance(found, Found) or found.looks_for:
            return False
        courses.append([state, *predict_graph(state, found.graph, LIBRARY)])
    ours, theirs = courses
    return wanted.reached(ours) and not understood.goal.unmet(theirs[-1], state)
