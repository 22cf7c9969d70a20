"""Scenes that the language tests speak of, and how meanings are compared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from planner.grammar.errors import CannotBe, InstructionError, NeedsAnswer
from planner.grammar.understanding import Understood, understand
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.symbolic_state import SymbolicState
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
SCENES = {"flat": FLAT, "built": BUILT}


def read(instruction: str, where: Scene, **answers: str) -> Understood:
    return understand(instruction, where, LIBRARY, answers=answers)


def canonical(literal: Literal) -> str:
    if literal.predicate == "closed":
        literal = Literal("open", literal.arguments, not literal.negated)
    return str(literal)


def end_states(understood: Understood, where: Scene) -> set[frozenset[str]]:
    return {frozenset(map(canonical, end)) for end in understood.goal.end_states(where.symbolic())}


def cases(file_name: str) -> list[dict[str, Any]]:
    """One record for each wording of a file of instructions."""
    rows = yaml.safe_load((Path(__file__).parents[1] / "planner" / file_name).read_text("utf-8"))
    listed = [{**row, "say": row["say"] if isinstance(row["say"], list) else [row["say"]]} for row in rows]
    return [{**row, "say": wording} for row in listed for wording in row["say"]]


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
    wanted = {frozenset(canonical(Literal.parse(t)) for t in end) for end in case.get("any_of") or [case["goal"]]}
    if end_states(understood, where) != wanted:
        return f"understood {end_states(understood, where)}"
    order = {(str(a), str(b)) for a, b in understood.goal.order}
    missing = {tuple(pair) for pair in case.get("order", [])} - order
    return f"order lacks {missing}, has {order}" if missing else ""
