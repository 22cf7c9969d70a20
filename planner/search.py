"""SearchPlanner: goal literals → the shortest valid graph, by A* on symbols; the planner that needs no model.

Hidden objects are looked for: the plan takes for granted that they lie in the first place nobody has looked into,
opens that first, and is made anew from what turned out. Where every place was looked into, it says so.
Not for: reading instructions (planner.language), repairing a run (planner.recovery).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from planner.planner import Impossible, Plan, PlannerError, PlanOutcome, PlanRequest, Question
from planner.search_engine import Budget, SearchEnd, search
from planner.search_hidden import closed_places, decided, kinds_sought, seek, undecided, with_unseen
from planner.search_order import OrderWatch
from planner.search_ordering import partial_order
from planner.search_problem import Problem
from planner.search_reasons import clash, contradiction, out_of_reach
from skills.building import NOTHING, branch, sequence
from skills.checking import LiteralError, check_goal, goal_literals
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState
from skills.validation import validate
from world_model.prediction import predict_graph


@dataclass(frozen=True)
class Found:
    """A graph that reaches the goal. skills: calls on its longest way. shortest: proved, not only likely.

    expanded: states looked at. looks_for: hidden objects that the graph takes to be where it looks.
    """

    graph: SkillGraph
    skills: int
    shortest: bool
    expanded: int
    looks_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotFound:
    """No graph. proved: there is none; otherwise the search gave up within its budget."""

    reason: str
    proved: bool


def find_graph(
    state: SymbolicState,
    goal: Goal,
    library: SkillLibrary,
    budget: Budget | None = None,
    *,
    unexplored: Collection[str] | None = None,
) -> Found | NotFound:
    """The shortest graph from `state` to the nearest of the goal's end states, or why there is none.

    unexplored: containers in which hidden objects may be; all closed drawers where it is not said.
    The graph is valid from `state` and ends with an empty hand unless the goal says holding. A branch of the goal
    that cannot be told yet becomes a branch of the graph, after a look.
    """
    places = closed_places(state) if unexplored is None else sorted(unexplored)
    budget = budget or Budget()
    open_question = undecided(goal, state)
    if open_question is not None and places:
        return _look_then_branch(state, goal, open_question, library, budget, places)
    answers = [_to_end_state(state, way, goal, library, budget, places) for way in goal.end_states(state)]
    sure = all(answer.shortest if isinstance(answer, Found) else answer.proved for answer in answers)
    found = [answer for answer in answers if isinstance(answer, Found)]
    if found:
        return replace(min(found, key=lambda answer: answer.skills), shortest=sure)
    missing = [answer for answer in answers if isinstance(answer, NotFound)]
    return min(missing, key=lambda answer: answer.proved)  # one that the search gave up on decides: nothing is proved


def _look_then_branch(
    state: SymbolicState, goal: Goal, condition: Literal, library: SkillLibrary, budget: Budget, places: Sequence[str]
) -> Found | NotFound:
    """Opens the first place to look into, then goes on by what is there. Never proved to be the shortest: something
    else might better come before the look."""
    look = find_graph(state, Goal(literals=(Literal("open", (places[0],)),)), library, budget, unexplored=())
    if isinstance(look, NotFound):
        return look
    seen = predict_graph(state, look.graph, library)[-1]
    # What else is hidden may have turned up in the same place; what the condition speaks of, only if it holds.
    arms = [
        find_graph(seen.apply((condition,)), decided(goal, condition, True), library, budget, unexplored=places),
        find_graph(
            seen, decided(goal, condition, False), library, budget, unexplored=_elsewhere(goal, condition, places)
        ),
    ]
    graphs = [arm.graph if isinstance(arm, Found) else NOTHING for arm in arms]
    found = [arm for arm in arms if isinstance(arm, Found)]
    if not found:
        return next(arm for arm in arms if isinstance(arm, NotFound))
    return Found(
        sequence(look.graph, branch(condition, graphs[0], graphs[1])),
        look.skills + max(arm.skills for arm in found),
        False,
        look.expanded + sum(arm.expanded for arm in found),
        tuple(
            sorted({*(n for n in condition.arguments if n in state.hidden), *(n for a in found for n in a.looks_for)})
        ),
    )


def _elsewhere(goal: Goal, condition: Literal, places: Sequence[str]) -> Sequence[str]:
    """Where to look where the condition turned out false: not again where the thing that is wanted was not."""
    wanted = {name for literal in goal_literals(decided(goal, condition, False)) for name in literal.arguments}
    return places[1:] if wanted & set(condition.arguments) - set(places) else places


def _to_end_state(
    state: SymbolicState,
    end_state: tuple[Literal, ...],
    goal: Goal,
    library: SkillLibrary,
    budget: Budget,
    places: Sequence[str],
) -> Found | NotFound:
    reason = contradiction(end_state, state)
    sought = seek(state, (*end_state, *(literal for pair in goal.order for literal in pair)), places)
    if reason is not None or sought.reason is not None:
        return NotFound(reason or sought.reason or "", proved=True)
    holding = any(lit.predicate == "holding" and not lit.negated for lit in end_state)
    wanted = end_state if holding else (*end_state, Literal("hand_empty"))
    problem = Problem(sought.assumed, library)
    clashing = clash(problem, wanted)
    if clashing is not None:
        return NotFound(clashing, proved=True)
    watch = OrderWatch(problem, goal.order, sought.openings)
    result = search(problem, problem.condition(wanted), watch, budget)
    if result.end is SearchEnd.UNREACHABLE:
        return NotFound(out_of_reach(problem, wanted), proved=True)
    if result.end is SearchEnd.OUT_OF_BUDGET:
        return NotFound(f"no plan was found among {result.expanded} states, and no proof that there is none", False)
    graph = partial_order(problem, [action.index for action in result.actions], watch)
    shortest = result.end is SearchEnd.SHORTEST
    return Found(graph, len(result.actions), shortest, result.expanded, sought.names)


class SearchPlanner:
    """The Planner that searches symbols. Needs request.goal.

    Raises PlannerError where the search gave up without a proof either way.
    """

    name = "search"

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()

    def plan(self, request: PlanRequest) -> PlanOutcome:
        goal, library = request.goal, request.library
        if goal is None:
            return Question("What should hold at the end? Searching needs a goal such as 'in(red block, red bowl)'.")
        names = {name for literal in goal_literals(goal) for name in literal.arguments}
        scene = with_unseen(request.scene, names, kinds_sought(library))
        state = scene.symbolic()
        try:
            check_goal(goal, state.objects, library.predicates)
        except LiteralError as error:
            return Impossible(str(error), goal)
        answer = find_graph(state, goal, library, self.budget, unexplored=scene.unexplored)
        if isinstance(answer, NotFound):
            if not answer.proved:
                raise PlannerError(answer.reason)
            return Impossible(answer.reason, goal)
        validate(answer.graph, state, library)
        return Plan(goal, answer.graph, _reasoning(answer), assumed={n: state.objects[n] for n in answer.looks_for})


def _reasoning(found: Found) -> str:
    proved = "the shortest way there is" if found.shortest else "perhaps not the shortest way"
    looking = f", looking for the {' and the '.join(found.looks_for)} first" if found.looks_for else ""
    return f"{found.skills} skills, {proved}{looking}."
