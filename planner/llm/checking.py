"""What is wrong with an answer, in words that a language model can act on; and the plan where nothing is.

A plan's literals and calls must fit the scene, its graph must work in every order it allows, and every state it may
end in must satisfy the goal with an empty hand. A question must be new; a claim of impossibility must survive search.
Not for: reading the reply (planner.llm.answer).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from planner.llm.answer import Answer, AnswerError, AnswerKind
from planner.llm.graph_building import build_graph, in_listed_order
from planner.llm.names import read_literal
from planner.llm.unseen import with_spoken_of
from planner.planner import Impossible, Plan, PlannerError, PlanOutcome, PlanRequest, Question
from planner.search_hidden import decided, undecided
from skills.checking import LiteralError, check_literal
from skills.goal import Goal, GoalBranch
from skills.literals import Literal, LiteralSyntaxError
from skills.simulation import Possibility, Simulation
from skills.skill import SkillCallError
from skills.skill_graph import GraphError, SkillGraph
from skills.symbolic_state import SymbolicState
from skills.validation import validate
from world_model.prediction import PredictionError, predict_graph

Search = Callable[[PlanRequest], PlanOutcome]
"""Plans for the goal that a request carries, without a language model."""


@dataclass(frozen=True)
class Checked:
    """outcome where the answer can be used, else problems in words. goal: its goal where that much is sound."""

    outcome: PlanOutcome | None = None
    problems: tuple[str, ...] = ()
    goal: Goal | None = None


def check_answer(answer: Answer, request: PlanRequest, search: Search) -> Checked:
    """Hold an answer against the scene, and what the person spoke of that nobody has seen."""
    request = with_spoken_of(answer, request)
    match answer.answer:
        case AnswerKind.QUESTION:
            return _check_question(answer, request)
        case AnswerKind.IMPOSSIBLE:
            return _check_impossible(answer, request, search)
        case AnswerKind.PLAN:
            return _check_plan(answer, request)


def _check_question(answer: Answer, request: PlanRequest) -> Checked:
    asked = {" ".join(question.lower().split()) for question, _ in request.answers}
    text = answer.question.strip()
    if not text:
        return Checked(problems=("answer is 'question' but the question is empty",))
    if " ".join(text.lower().split()) in asked:
        return Checked(problems=("that question was asked and answered already; use the answer given",))
    return Checked(outcome=Question(text, tuple(choice for choice in answer.choices if choice.strip())))


def _check_impossible(answer: Answer, request: PlanRequest, search: Search) -> Checked:
    reason = answer.reason.strip() or answer.reasoning.strip()
    goal, _ = read_goal(answer, request)
    if not reason:
        return Checked(problems=("answer is 'impossible' but no reason is given",), goal=goal)
    try:
        found = search(replace(request, goal=goal)) if goal is not None else None
    except PlannerError:  # no proof either way: the model's word stands
        found = None
    if not isinstance(found, Plan):
        return Checked(outcome=Impossible(reason, goal), goal=goal)
    first = next((str(call) for call in found.graph.calls()), "nothing to do")
    problem = f"the goal given can be reached from this scene (it starts with {first}); give the plan"
    return Checked(problems=(problem,), goal=goal)


def _check_plan(answer: Answer, request: PlanRequest) -> Checked:
    goal, problems = read_goal(answer, request)
    if goal is None and not problems:
        problems.append("the goal is empty: give the literals that must hold at the end")
    try:
        graph = build_graph(answer.steps, request.scene.objects)
        misfits = _misfits(graph, request)
    except AnswerError as error:
        return Checked(problems=(*problems, str(error)), goal=goal)
    if misfits or goal is None:
        return Checked(problems=(*problems, *misfits), goal=goal)
    faults = _faults(graph, goal, request)
    if faults and not _faults(ordered := in_listed_order(graph), goal, request):
        graph, faults = ordered, []
    if faults:
        return Checked(problems=tuple(faults), goal=goal)
    scene = request.scene
    used = {name for call in graph.calls() for name in call.arguments}
    assumed = {name: scene.objects[name] for name in sorted(used & scene.hidden)}
    return Checked(Plan(goal, graph, answer.reasoning.strip(), spoken_of(goal), assumed), goal=goal)


def _misfits(graph: SkillGraph, request: PlanRequest) -> list[str]:
    """Every call that names no skill, no object or one of the wrong kind: all at once, for repairs are few."""
    found: dict[str, None] = {}
    for call in graph.calls():
        try:
            request.library.check_call(call, request.scene.objects)
        except SkillCallError as error:
            found[str(error)] = None
    return list(found)


def _faults(graph: SkillGraph, goal: Goal, request: PlanRequest) -> list[str]:
    """The first step that cannot work; where all can, what the end lacks."""
    try:
        validate(graph, request.scene.symbolic(), request.library)
    except GraphError as error:
        return [str(error)]
    return _shortfalls(graph, goal, request)


def read_goal(answer: Answer, request: PlanRequest) -> tuple[Goal | None, list[str]]:
    """The request's own goal, else the answer's where every literal of it fits the scene; and what does not fit."""
    if request.goal is not None:
        return request.goal, []
    problems: list[str] = []

    def read(texts: tuple[str, ...]) -> tuple[Literal, ...]:
        return tuple(literal for text in texts if (literal := _read_checked(text, request, problems)) is not None)

    literals = read(answer.goal)
    alternatives = tuple(read(texts) for texts in answer.alternatives)
    order = tuple(pair for item in answer.order if len(pair := read((item.first, item.then))) == 2)
    conditions = [(read((item.condition,)), read(item.then), read(item.otherwise)) for item in answer.branches]
    branches = tuple(
        GoalBranch(condition=condition[0], then=then, otherwise=otherwise)
        for condition, then, otherwise in conditions
        if condition
    )
    if problems or not (literals or any(alternatives) or branches):
        return None, problems
    pairs = tuple((first, then) for first, then in order)
    return Goal(literals=literals, alternatives=alternatives, order=pairs, branches=branches), []


def _read_checked(text: str, request: PlanRequest, problems: list[str]) -> Literal | None:
    objects = request.scene.objects
    try:
        literal = read_literal(text, objects)
        check_literal(literal, objects, request.library.predicates)
    except (LiteralSyntaxError, LiteralError) as error:
        problems.append(f"goal: {error}")
        return None
    return literal


def _shortfalls(graph: SkillGraph, goal: Goal, request: PlanRequest) -> list[str]:
    """What the valid graph's predicted end lacks: goal literals, their order, an empty hand."""
    start = request.scene.symbolic()
    ends = [end.state for end in Simulation(request.library).graph(graph, (Possibility(start),))]
    goals = _decided_ways(goal, start)
    gaps = [min((way.unmet(end, start) for way in goals), key=len) for end in ends]
    unmet = max(gaps, key=len, default=())
    if unmet:
        return [f"after all steps this does not hold: {', '.join(map(str, unmet))}"]
    holding = any(lit.predicate == "holding" and not lit.negated for way in goals for lit in _wanted(way, start))
    if not holding and any(end.held is not None for end in ends):
        held = next(end.held for end in ends if end.held is not None)
        return [f"the hand still holds the {held} at the end: put it down"]
    return _order_faults(graph, goal, request)


def _decided_ways(goal: Goal, start: SymbolicState) -> list[Goal]:
    """The goal for either truth of each condition that cannot be told before a look."""
    condition = undecided(goal, start)
    if condition is None:
        return [goal]
    return [way for truth in (True, False) for way in _decided_ways(decided(goal, condition, truth), start)]


def _wanted(goal: Goal, start: SymbolicState) -> list[Literal]:
    return [literal for end_state in goal.end_states(start) for literal in end_state]


def _order_faults(graph: SkillGraph, goal: Goal, request: PlanRequest) -> list[str]:
    """Holds the goal's order against the steps taken as early and as late as the graph's edges allow."""
    start = request.scene.symbolic()
    if not goal.order:
        return []
    for course in (graph, graph.model_copy(update={"steps": graph.steps[::-1]})):
        try:
            states = predict_graph(start, course, request.library)
        except (PredictionError, GraphError):
            return []  # what a step finds out of sight cannot be predicted; validation looked at it
        if not goal.reached(states):
            pairs = "; ".join(f"{first} before {then}" for first, then in goal.order)
            return [f"the steps must make true, in every order that `after` allows: {pairs}"]
    return []


def spoken_of(goal: Goal) -> tuple[str, ...]:
    """The objects of a goal, the ones acted on first, latest first: what "it" may mean next."""
    literals = [literal for literal in goal.literals[::-1] if literal.arguments]
    subjects = [literal.arguments[0] for literal in literals]
    others = [name for literal in literals for name in literal.arguments[1:]]
    return tuple(dict.fromkeys(name for name in (*subjects, *others) if not name.startswith("*")))
