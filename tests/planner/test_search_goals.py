"""What goals may say, and how search answers: kinds of literals, order, alternatives, branches, hidden things,
skills it has never heard of, and why there is no way."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from symbolic_cases import LIBRARY, literals, table

from planner.planner import Impossible, Plan, PlannerError, PlanRequest, Question
from planner.search import Found, NotFound, SearchPlanner, find_graph
from planner.search_engine import Budget
from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.goal import Goal, GoalBranch
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.predicates import Predicate
from skills.skill import Parameter, Skill
from skills.skill_graph import BranchStep
from skills.symbolic_state import SymbolicState
from skills.validation import validate
from world_model.prediction import predict_graph
from world_model.scene import Scene

BLOCKS = tuple(f"{colour} block" for colour in ("red", "green", "blue", "yellow", "purple", "orange"))
THINGS = (*BLOCKS, "red bowl", "green bowl", "red pad", "drawer", "button", "lamp")
STATE = table(THINGS)


def calls(state: SymbolicState, goal: Goal | str, library: SkillLibrary = LIBRARY) -> list[str]:
    """The calls of the graph found, in its canonical order; checked to be valid and to reach the goal."""
    wanted = Goal.parse(goal) if isinstance(goal, str) else goal
    found = find_graph(state, wanted, library)
    assert isinstance(found, Found), found
    validate(found.graph, state, library)
    if not state.hidden:
        assert wanted.reached(predict_graph(state, found.graph, library))
    return [str(call) for call in found.graph.calls()]


def refusal(state: SymbolicState, goal: Goal | str) -> str:
    found = find_graph(state, Goal.parse(goal) if isinstance(goal, str) else goal, LIBRARY)
    assert isinstance(found, NotFound), found
    assert found.proved
    return found.reason


@pytest.mark.parametrize(
    ("facts", "goal", "expected"),
    [
        (["lit(lamp)"], "not lit(lamp)", ["press(button)"]),
        ([], "not lit(lamp)", []),
        (["in(red block, red bowl)"], "not in(red block, red bowl)", ["pick(red block)", "place_on(table)"]),
        (["on(red block, green block)"], "clear(green block)", ["pick(red block)", "place_on(table)"]),
        ([], "holding(red block)", ["pick(red block)"]),
        (["holding(red block)"], "holding(red block)", []),
        (["holding(red block)"], "hand_empty()", ["place_on(table)"]),
        (["holding(red block)"], "lit(lamp)", ["place_on(table)", "press(button)"]),
        (["holding(red block)"], "in(red block, red bowl)", ["place_in(red bowl)"]),
        (["holding(red block)"], "holding(green block)", ["place_on(table)", "pick(green block)"]),
        ([], "in_zone(red block, left)", ["push(red block, left)"]),
        ([], "in_zone(red block, left), in_zone(red block, back)", ["push(red block, left)", "push(red block, back)"]),
        (
            ["in(red block, red bowl)"],
            "in_zone(red block, left)",
            ["pick(red block)", "place_on(table)", "push(red block, left)"],
        ),
        (["open(drawer)"], "closed(drawer)", ["close(drawer)"]),
        ([], "in(red block, *bowl)", ["pick(red block)", "place_in(red bowl)"]),
        (
            [],
            "in(red block, drawer), closed(drawer)",
            ["open(drawer)", "pick(red block)", "place_in(drawer)", "close(drawer)"],
        ),
    ],
)
def test_kinds_of_goals(facts: list[str], goal: str, expected: list[str]) -> None:
    found = calls(table(THINGS, *facts), goal)
    assert sorted(found) == sorted(expected)
    assert len(found) == len(expected)


def test_the_plan_ends_with_an_empty_hand_unless_the_goal_says_holding() -> None:
    state = table(THINGS, "on(red block, green block)")
    found = find_graph(state, Goal.parse("not on(red block, green block)"), LIBRARY)
    assert isinstance(found, Found)
    assert predict_graph(state, found.graph, LIBRARY)[-1].held is None
    assert calls(state, "clear(green block), holding(red block)") == ["pick(red block)"]


def test_the_nearest_of_the_alternatives_is_taken() -> None:
    far, near = literals("in(red block, drawer)"), literals("in(red block, red bowl)")
    assert calls(STATE, Goal(literals=far, alternatives=(near,))) == ["pick(red block)", "place_in(red bowl)"]
    full = table(THINGS, *(f"in({b}, red bowl)" for b in BLOCKS[1:4]))
    impossible = literals("on(red block, red block)")
    assert len(calls(full, Goal(literals=impossible, alternatives=(near,)))) == 4


def test_order_becomes_an_edge() -> None:
    lit, put = literals("lit(lamp)", "in(red block, red bowl)")
    for order in ((lit, put), (put, lit)):
        found = find_graph(STATE, Goal(literals=(lit, put), order=(order,)), LIBRARY)
        assert isinstance(found, Found)
        after = {step.id: step.after for step in found.graph.steps}
        if order[0] == lit:
            assert after["pick-red-block"] == ("press-button",)
        else:
            assert after["press-button"] == ("place_in-red-bowl",)


def test_branches_of_the_goal_are_decided_on_the_start() -> None:
    record = {"branches": [{"condition": "lit(lamp)", "then": ["open(drawer)"], "otherwise": ["lit(lamp)"]}]}
    goal = Goal.model_validate(record)
    assert calls(STATE, goal) == ["press(button)"]
    assert calls(table(THINGS, "lit(lamp)"), goal) == ["open(drawer)"]


def test_no_capacity_is_exceeded_on_the_way() -> None:
    full = table(THINGS, *(f"in({b}, red bowl)" for b in BLOCKS[:3]), *(f"in({b}, green bowl)" for b in BLOCKS[3:]))
    found = calls(full, "in(red block, green bowl), in(yellow block, red bowl)")
    assert len(found) == 6


class TestHidden:
    """A red block that nobody sees, and a drawer nobody has looked into."""

    state = table(THINGS, hidden=["red block"])

    def test_it_is_looked_for_first(self) -> None:
        assert calls(self.state, "in(red block, red bowl)") == ["open(drawer)", "pick(red block)", "place_in(red bowl)"]

    def test_a_guess_is_checked_by_looking(self) -> None:
        assert calls(self.state, "in(red block, drawer)") == ["open(drawer)"]
        assert calls(self.state, "in(red block, drawer), closed(drawer)") == ["open(drawer)", "close(drawer)"]

    def test_what_the_goal_does_not_name_is_not_looked_for(self) -> None:
        assert calls(self.state, "lit(lamp)") == ["press(button)"]

    def test_where_everything_was_searched_it_is_gone(self) -> None:
        for state, places in ((self.state, ()), (self.state.apply(literals("open(drawer)")), None)):
            found = find_graph(state, Goal.parse("in(red block, red bowl)"), LIBRARY, unexplored=places)
            assert found == NotFound("the red block is nowhere to be found", proved=True)

    def test_a_condition_on_it_becomes_a_branch_after_a_look(self) -> None:
        record = {
            "condition": "in(red block, drawer)",
            "then": ["in(red block, red bowl)"],
            "otherwise": ["lit(lamp)"],
        }
        found = find_graph(self.state, Goal.model_validate({"branches": [record]}), LIBRARY)
        assert isinstance(found, Found)
        validate(found.graph, self.state, LIBRARY)
        look, branch = found.graph.steps
        assert isinstance(branch, BranchStep)
        assert branch.after == (look.id,)
        assert [str(c) for c in branch.then.calls()] == ["pick(red block)", "place_in(red bowl)"]
        assert [str(c) for c in branch.otherwise.calls()] == ["press(button)"]

    def test_a_thing_never_seen_is_taken_up_where_it_may_be_out_of_sight(self) -> None:
        state = table(("green block", "red bowl", "drawer"))
        goal = Goal.parse("in(red block, red bowl)")
        request = PlanRequest("", Scene.from_symbolic(state, unexplored=["drawer"]), LIBRARY, goal)
        plan = SearchPlanner().plan(request)
        assert isinstance(plan, Plan)
        assert plan.assumed == {"red block": "block"}
        assert next(str(c) for c in plan.graph.calls()) == "open(drawer)"
        nowhere = PlanRequest("", Scene.from_symbolic(state, unexplored=[]), LIBRARY, goal)
        answer = SearchPlanner().plan(nowhere)
        assert isinstance(answer, Impossible)
        assert "no object 'red block' here" in answer.reason


@pytest.mark.parametrize(
    ("goal", "reason"),
    [
        (
            ", ".join(f"in({b}, red bowl)" for b in BLOCKS[:4]),
            "bowls hold at most 3 blocks: 4 are asked",
        ),
        (
            ", ".join(f"in({b}, drawer)" for b in BLOCKS[:5]),
            "drawers hold at most 4 blocks: 5 are asked",
        ),
        (
            "on(red block, green block), on(green block, red block)",
            "the green block, which would stand on it",
        ),
        ("on(red block, red block)", "the red block cannot stand on itself"),
        ("in(red block, red bowl), in(red block, green bowl)", "the red block cannot be in two places"),
        ("in(red block, red bowl), holding(red block)", "the red block cannot be in two places"),
        (
            "holding(red block), holding(green block)",
            "there is one hand: it cannot hold the red",
        ),
        ("holding(red block), hand_empty()", "the hand cannot hold the red block and be empty"),
        ("on(red block, red pad), on(green block, red pad)", "the red pad has room for one"),
        ("on(red block, blue block), clear(blue block)", "the blue block cannot be clear with the red block on it"),
        ("lit(lamp), not lit(lamp)", "lit(lamp) is asked to hold and not to hold"),
        ("open(drawer), closed(drawer)", "asked to hold and not to hold"),
        (
            "in(red block, red bowl), on(green block, red block)",
            "nothing can be stacked on the red block",
        ),
        ("in_zone(red block, left), in_zone(red block, right)", "cannot be left and right at once"),
        (
            ", ".join(f"on({a}, {b})" for a, b in pairwise(BLOCKS)),
            "a stack is at most 5 high",
        ),
    ],
)
def test_contradictions_are_told_in_words(goal: str, reason: str) -> None:
    assert reason in refusal(STATE, goal)


def test_what_no_skill_can_do_is_told_in_words() -> None:
    no_button = table(("red block", "lamp"))
    assert refusal(no_button, "lit(lamp)") == "no skill can make lit(lamp) hold here: there is no button to press"
    inside = table(("red block", "green block", "red bowl"), "in(red block, red bowl)", "on(green block, red block)")
    assert calls(inside, "clear(red block)") == ["pick(green block)", "place_on(table)"]
    crowded = ", ".join(f"in({block}, *bowl)" for block in BLOCKS[1:])
    began_s = time.process_time()
    reason = refusal(STATE, f"{crowded}, on(red block, red pad), in_zone(red block, left), closed(drawer)")
    assert reason.startswith("no skills can make on(red block, red pad) and in_zone(red block, left) hold together")
    assert time.process_time() - began_s < 1.0
    nowhere = SymbolicState({"red block": "block", "red bowl": "bowl"}, frozenset(literals("in(red block, red bowl)")))
    assert "not all of it together" in refusal(nowhere, "not in(red block, red bowl)")


def test_without_a_goal_it_asks_for_one() -> None:
    answer = SearchPlanner().plan(PlanRequest("tidy up", Scene.from_symbolic(STATE), LIBRARY))
    assert isinstance(answer, Question)
    assert "in(red block, red bowl)" in answer.text


@pytest.mark.parametrize(
    ("goal", "reason"),
    [
        ("inside(red block, red bowl)", "no literal 'inside'"),
        ("in(red bowl, red block)", "'red bowl' is a bowl"),
        ("in(pink block, red bowl)", "no object 'pink block' here"),
    ],
)
def test_goals_that_do_not_fit_the_scene_are_refused_with_the_choices(goal: str, reason: str) -> None:
    answer = SearchPlanner().plan(PlanRequest("", Scene.from_symbolic(STATE), LIBRARY, Goal.parse(goal)))
    assert isinstance(answer, Impossible)
    assert reason in answer.reason


def test_a_search_out_of_budget_says_so_and_claims_nothing() -> None:
    tower = [f"on({a}, {b})" for a, b in pairwise(BLOCKS[:5])]
    goal = Goal(literals=literals(*(f"on({b}, {a})" for a, b in pairwise(BLOCKS[:5]))))
    state = table(THINGS, *tower)
    starved = find_graph(state, goal, LIBRARY, Budget(rounds=((1.0, 3),)))
    assert isinstance(starved, NotFound)
    assert not starved.proved
    greedy = find_graph(state, goal, LIBRARY, Budget(rounds=((1.0, 3), (5.0, 2000))))
    assert isinstance(greedy, Found)
    assert not greedy.shortest
    late = find_graph(state, goal, LIBRARY, Budget(wall_s=-1.0))
    assert isinstance(late, Found | NotFound)
    with pytest.raises(PlannerError, match="no proof"):
        SearchPlanner(Budget(rounds=((1.0, 3),))).plan(PlanRequest("", Scene.from_symbolic(state), LIBRARY, goal))


def test_of_several_end_states_one_given_up_on_leaves_nothing_proved() -> None:
    nonsense = literals(f"on({BLOCKS[0]}, {BLOCKS[0]})")
    tower = literals(*(f"on({a}, {b})" for a, b in pairwise(BLOCKS[:4])))
    starved = find_graph(STATE, Goal(literals=nonsense, alternatives=(tower,)), LIBRARY, Budget(rounds=((1.0, 1),)))
    assert isinstance(starved, NotFound)
    assert not starved.proved
    budget = Budget(rounds=((1.0, 6),))  # enough for one block, not for the tower
    found = find_graph(STATE, Goal(literals=tower, alternatives=(tower[:1],)), LIBRARY, budget)
    assert isinstance(found, Found)
    assert not found.shortest


def test_a_look_that_comes_first_is_not_called_the_shortest_way() -> None:
    """What is in the hand could go to its bowl before the drawer is opened; search puts it down, looks, and then."""
    state = table(("red block", "blue block", "red bowl", "drawer"), "holding(red block)", hidden=("blue block",))
    arm = literals("open(drawer)")
    way = GoalBranch(condition=Literal.parse("in(blue block, drawer)"), then=arm, otherwise=arm)
    found = find_graph(state, Goal(literals=literals("in(red block, red bowl)"), branches=(way,)), LIBRARY)
    assert isinstance(found, Found)
    assert not found.shortest


def never(_state: PhysicalState, _arguments: tuple[str, ...]) -> Action:
    raise AssertionError("nothing moves in these tests")


def skill(name: str, parameters: tuple[Parameter, ...], needs: tuple[str, ...], effects: tuple[str, ...]) -> Skill:
    return Skill(name, parameters, name, needs, effects, (effects[-1],), 10, never)


BLOCK = Parameter("object", types=("block",))
WIPING = SkillLibrary(
    skills=(
        *LIBRARY.skills,
        skill("wipe", (Parameter("place", types=("pad", "bowl")),), ("holding(?held)",), ("clean(?place)",)),
        skill("fold", (Parameter("how", choices=("once", "twice")),), ("hand_empty()",), ("folded(?how)",)),
        skill("spin", (BLOCK,), ("hand_empty()", "clear(?object)"), ("flip spinning(?object)",)),
        skill("throw", (BLOCK,), ("holding(?object)",), ("not holding(?object)", "away(?object)")),
    ),
    predicates=(
        *LIBRARY.predicates,
        Predicate("clean", (Parameter("place", types=("pad", "bowl")),), lambda _state, _arguments: None),
    ),
)


def test_skills_of_a_users_own_are_searched_by_their_schema() -> None:
    assert {"fold(twice)", "wipe(red pad)"} <= set(calls(STATE, "clean(red pad), folded(twice)", WIPING))
    assert calls(STATE, "spinning(red block)", WIPING) == ["spin(red block)"]
    spinning = table(THINGS, "spinning(red block)")
    assert calls(spinning, "not spinning(red block)", WIPING) == ["spin(red block)"]
    assert calls(STATE, "away(red block)", WIPING) == ["pick(red block)", "throw(red block)"]
    assert calls(STATE, Goal(literals=(Literal("away", ("red block",)), Literal("clean", ("red bowl",)))), WIPING) == [
        "pick(red block)",
        "wipe(red bowl)",
        "throw(red block)",
    ]


def test_a_look_for_one_hidden_thing_may_turn_up_another() -> None:
    state = table(THINGS, hidden=["red block", "green block"])
    record = {"condition": "in(red block, drawer)", "then": ["in(red block, red bowl)"]}
    goal = Goal.model_validate({"literals": ["in(green block, green bowl)"], "branches": [record]})
    found = find_graph(state, goal, LIBRARY)
    assert isinstance(found, Found)
    validate(found.graph, state, LIBRARY)
    assert found.looks_for == ("green block", "red block")
    branch = found.graph.steps[-1]
    assert isinstance(branch, BranchStep)
    assert {"pick(green block)", "pick(red block)"} <= {str(c) for c in branch.then.calls()}
    assert [str(c) for c in branch.otherwise.calls()] == ["pick(green block)", "place_in(green bowl)"]
