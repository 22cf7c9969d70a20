"""Symbolic tables for tests: states from a few words, every call there is, and a breadth-first search to check against.

Independent of the planner: it knows skills and states only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from skills.calls import apply_call, unmet_precondition
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState

LIBRARY = SkillLibrary()
FIXED = {"drawer": "drawer", "button": "button", "lamp": "lamp", "table": "table"}


def literals(*texts: str) -> tuple[Literal, ...]:
    return tuple(Literal.parse(text) for text in texts)


def table(names: Iterable[str], *facts: str, hidden: Iterable[str] = ()) -> SymbolicState:
    """Things by name ("red block", "drawer"), the table included; blocks without a fact stand on the table."""
    objects = {name: FIXED.get(name, name.split(" ")[-1]) for name in (*names, "table")}
    known = set(literals(*facts))
    placed = {f.arguments[0] for f in known if f.predicate in ("on", "in", "holding")} | set(hidden)
    loose = (name for name, kind in objects.items() if kind == "block" and name not in placed)
    known |= {Literal("on", (name, "table")) for name in loose}
    return SymbolicState(objects, frozenset(known), frozenset(hidden))


def every_call(state: SymbolicState, library: SkillLibrary = LIBRARY) -> list[SkillCall]:
    """Every well-typed call, possible or not."""
    calls = []
    for skill in library.skills:
        choices = [p.choices or [n for n, kind in state.objects.items() if kind in p.types] for p in skill.parameters]
        calls += [SkillCall(skill.name, arguments) for arguments in product(*choices)]
    return calls


def possible_calls(state: SymbolicState, library: SkillLibrary = LIBRARY) -> Iterator[SkillCall]:
    return (call for call in every_call(state, library) if unmet_precondition(call, state, library) is None)


def distances(start: SymbolicState, library: SkillLibrary = LIBRARY) -> dict[frozenset[Literal], int]:
    """How many calls each reachable state is away, by its facts: plain breadth-first search."""
    calls = every_call(start, library)
    found = {start.facts: 0}
    frontier = [start]
    while frontier:
        following = []
        for state in frontier:
            for call in calls:
                if unmet_precondition(call, state, library) is None:
                    after = apply_call(call, state, library)
                    if after.facts not in found:
                        found[after.facts] = found[state.facts] + 1
                        following.append(after)
        frontier = following
    return found
