"""What is generated is understood as it was meant, is varied, and comes back the same from the same seed."""

from __future__ import annotations

import pytest
from language_scenes import BUILT, FLAT, canonical, read

from planner.grammar.generation import generate
from planner.search import Found, find_graph
from skills.goal import Goal
from skills.library import SkillLibrary
from world_model.scene import Scene


def meaning(goal: Goal) -> tuple[object, ...]:
    """A goal without the order in which its parts were said."""
    ends = frozenset(frozenset(map(canonical, end)) for end in (goal.literals, *goal.alternatives))
    branches = frozenset((canonical(b.condition), frozenset(b.then), frozenset(b.otherwise)) for b in goal.branches)
    return ends, frozenset(goal.order), branches


@pytest.mark.parametrize(("where", "seed"), [(FLAT, 11), (BUILT, 12)])
def test_a_generated_instruction_is_understood_as_meant(where: Scene, seed: int) -> None:
    wrong = [
        made.instruction
        for made in generate(where.symbolic(), 10, seed)
        if meaning(read(made.instruction, where).goal) != meaning(made.goal)
    ]
    assert wrong == []


def test_the_same_seed_generates_the_same_and_another_seed_others() -> None:
    once, again, other = (list(generate(FLAT.symbolic(), 50, seed)) for seed in (3, 3, 4))
    assert once == again
    assert {g.instruction for g in once}.isdisjoint(g.instruction for g in other)


def test_any_number_of_distinct_instructions_come_from_one_seed() -> None:
    made = [g.instruction for g in generate(BUILT.symbolic(), 1500, 5)]
    assert len(set(made)) == 1500
    words = {word for text in made for word in text.lower().split()}
    assert len(words) > 200, "wording varies"
    goals = {g.goal for g in generate(BUILT.symbolic(), 300, 5)}
    assert len(goals) > 250, "what is meant varies"


def test_only_goals_that_a_search_reaches_are_kept_where_asked() -> None:
    state, library = BUILT.symbolic(), SkillLibrary()
    made = list(
        generate(state, 4, 6, clauses=(1, 2), solvable=lambda goal: isinstance(find_graph(state, goal, library), Found))
    )
    assert len(made) == 4
    assert all(isinstance(find_graph(state, g.goal, library), Found) for g in made)
