"""Grounding: every call that a skill allows on the objects there are, its schema filled in.

Not for: which calls are worth a look (planner.search_pruning), or their bits (planner.search_problem).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import Skill, SkillCall
from skills.symbolic_state import OPPOSITE_ZONE, SymbolicState


@dataclass(frozen=True)
class Draft:
    """A call with its conditions and effects in literals; held: what it works on where that is not an argument."""

    call: SkillCall
    held: str | None
    needs: tuple[Literal, ...]
    effects: tuple[tuple[Literal, bool], ...]  # literal, whether it flips


def drafts_of(skill: Skill, start: SymbolicState, library: SkillLibrary) -> Iterator[Draft]:
    """Every call of the skill on the start's objects, once for each thing that might be held where that matters."""
    needs = [Literal.parse(text) for text in skill.preconditions]
    effects = [(Literal.parse(text.removeprefix("flip ")), text.startswith("flip ")) for text in skill.effects]
    about_held = any("?held" in literal.arguments for literal in (*needs, *(e for e, _ in effects)))
    held_choices: tuple[str | None, ...] = _graspable(start, library) if about_held else (None,)
    choices = [p.choices or tuple(n for t in p.types for n in start.of_category(t)) for p in skill.parameters]
    for held, arguments in product(held_choices, product(*choices)):
        bound = {p.name: a for p, a in zip(skill.parameters, arguments, strict=True)}
        if held is not None:
            bound["held"] = held
        if bound.get("direction") in OPPOSITE_ZONE:
            bound["opposite"] = OPPOSITE_ZONE[bound["direction"]]
        ground_needs = tuple(_bind(literal, bound) for literal in needs)
        if any(literal.negated and literal.positive in ground_needs for literal in ground_needs):
            continue
        yield Draft(
            SkillCall(skill.name, arguments), held, ground_needs, tuple((_bind(e, bound), f) for e, f in effects)
        )


def _graspable(start: SymbolicState, library: SkillLibrary) -> tuple[str, ...]:
    """What some skill can take into the hand, and what is in it."""
    found = {start.held} if start.held else set()
    for skill in library.skills:
        types = {p.name: p.types for p in skill.parameters}
        for text in skill.effects:
            if text.startswith("holding(?"):
                for kind in types.get(Literal.parse(text).arguments[0][1:], ()):
                    found.update(start.of_category(kind))
    return tuple(sorted(found))


def _bind(literal: Literal, bound: Mapping[str, str]) -> Literal:
    arguments = tuple(bound.get(a[1:], "*") if a.startswith("?") else a for a in literal.arguments)
    return Literal(literal.predicate, arguments, literal.negated)
